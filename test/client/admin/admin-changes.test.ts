import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMillrace, string } from '../../../src/index.ts'
import type { Admin, EmbeddedMillrace, ItemFailures, MillraceError } from '../../../src/index.ts'

let millrace: EmbeddedMillrace
let admin: Admin

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024 })
  admin = millrace.admin
})
afterAll(() => millrace.close())

test('deleteTopics: gone, and made again with another id, from offset 0', async () => {
  const old = await millrace.topic('again', { value: string() })
  const producer = millrace.producer()
  await producer.send(old, { value: 'old' })
  await admin.deleteTopics('again')
  expect(await admin.listTopics()).not.toContain('again')
  await expect(admin.describeTopic('again')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  const fresh = await millrace.topic('again', { value: string() })
  expect(fresh.topicId).not.toBe(old.topicId)
  expect(await producer.send(fresh, { value: 'new' })).toMatchObject({ offset: 0 })
  const error = await admin.deleteTopics(['again', 'none']).catch((reason: MillraceError) => reason)
  expect([...((error as MillraceError).cause as ItemFailures).byName.keys()]).toEqual(['none'])
  expect(await admin.listTopics()).not.toContain('again')
})

test('createPartitions: led when it resolves; fewer, as many and nonsense are refused; validateOnly changes nothing', async () => {
  await admin.createTopic({ name: 'grows', partitions: 2 })
  await admin.createPartitions('grows', 5, { validateOnly: true })
  expect((await admin.describeTopic('grows')).partitions).toHaveLength(2)
  await admin.createPartitions('grows', 5)
  const { partitions } = await admin.describeTopic('grows')
  expect(partitions.map(({ leader }) => leader >= 0)).toEqual([true, true, true, true, true])
  for (const count of [5, 1, 0, 1.5])
    await expect(admin.createPartitions('grows', count)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' })
})

test('incrementalAlterConfigs: set, delete, append, subtract; errors name the nearest name; validateOnly changes nothing', async () => {
  await admin.createTopic('altered')
  const of = async (name: string): Promise<unknown> =>
    (await admin.describeConfigs({ type: 'topic', name: 'altered' })).configs[name]!.value
  await admin.incrementalAlterConfigs({ type: 'topic', name: 'altered', set: { 'retention.ms': 5_000 } }, { validateOnly: true })
  expect(await of('retention.ms')).toBe('604800000')
  await admin.incrementalAlterConfigs({
    type: 'topic',
    name: 'altered',
    set: { 'retention.ms': 5_000 },
    append: { 'cleanup.policy': ['compact'] },
  })
  expect([await of('retention.ms'), await of('cleanup.policy')]).toEqual(['5000', 'delete,compact'])
  await admin.incrementalAlterConfigs({
    type: 'topic',
    name: 'altered',
    delete: ['retention.ms'],
    subtract: { 'cleanup.policy': 'compact' },
  })
  expect([await of('retention.ms'), await of('cleanup.policy')]).toEqual(['604800000', 'delete'])
  for (const [alteration, message] of [
    [{ set: { 'retention.msec': 1 } }, /did you mean retention\.ms/],
    [{ update: {} }, /there is no operation "update"/],
    [{}, /nothing is altered of topic "altered"/],
  ] as const) {
    await expect(admin.incrementalAlterConfigs({ type: 'topic', name: 'altered', ...alteration } as never)).rejects.toThrow(message)
  }
})

test('moveLeader: the other broker leads, under a higher epoch, and nothing is lost', async () => {
  const topic = await millrace.topic('moved', { value: string() })
  const producer = millrace.producer()
  await producer.send(topic, { value: 'before' })
  const [before] = (await admin.describeTopic('moved')).partitions
  await admin.moveLeader('moved', 0, 1 - before!.leader)
  const [after] = (await admin.describeTopic('moved')).partitions
  expect(after).toMatchObject({ leader: 1 - before!.leader, endOffset: 1 })
  expect(after!.leaderEpoch).toBeGreaterThan(before!.leaderEpoch)
  expect(await producer.send(topic, { value: 'after' })).toMatchObject({ offset: 1 })
  await expect(admin.moveLeader('moved', 0, 7)).rejects.toMatchObject({ code: 'BROKER_ID_NOT_REGISTERED' })
  await expect(admin.moveLeader('moved', 3, 0)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
})
