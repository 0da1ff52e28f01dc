import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ItemFailures } from '../../../src/index.ts'
import { defineTopic, json, openMillrace, string } from '../../../src/index.ts'
import type { Admin, EmbeddedMillrace, MillraceError } from '../../../src/index.ts'

let millrace: EmbeddedMillrace
let admin: Admin

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * 1024 * 1024, partitionsMax: 64 })
  admin = millrace.admin
})
afterAll(() => millrace.close())

const failure = (call: Promise<unknown>): Promise<MillraceError> =>
  call.then(
    () => expect.fail('it resolved'),
    (error: MillraceError) => error,
  )

describe('createTopics', () => {
  test('by name, by parts, by definition; what is made is there, and led', async () => {
    const definition = defineTopic('defined', { partitions: 3, key: string(), value: json(), validate: 'produce' })
    const created = await admin.createTopics(['named', { name: 'parts', partitions: 2, config: { 'retention.bytes': -1 } }, definition])
    expect(created).toEqual([
      { name: 'named', topicId: expect.stringMatching(/^[\w-]{22}$/) as string, partitions: 1, replicationFactor: 1, config: {} },
      { name: 'parts', topicId: expect.any(String) as string, partitions: 2, replicationFactor: 1, config: { 'retention.bytes': '-1' } },
      { name: 'defined', topicId: expect.any(String) as string, partitions: 3, replicationFactor: 1, config: {} },
    ])
    expect(Object.isFrozen(created) && Object.isFrozen(created[1]!.config)).toBe(true)
    for (const { name, topicId } of created) {
      const described = await admin.describeTopic(name)
      expect(described.topicId).toBe(topicId)
      for (const { leader } of described.partitions) expect(leader).toBeGreaterThanOrEqual(0)
    }
    expect((await millrace.topic(definition)).topicId).toBe(created[2]!.topicId)
  })

  test('those that cannot be made are named, the others are made', async () => {
    await admin.createTopic('taken')
    const error = await failure(admin.createTopics(['free', 'taken', { name: 'huge', partitions: 1_000 }]))
    expect(error).toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
      message: expect.stringMatching(/^2 of 3 failed, the first, taken: topic "taken"/) as string,
    })
    const { byName } = error.cause as ItemFailures
    expect([...byName].map(([name, { code }]) => [name, code])).toEqual([
      ['taken', 'TOPIC_ALREADY_EXISTS'],
      ['huge', 'INVALID_PARTITIONS'],
    ])
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(['free', 'taken']))
    expect(await admin.listTopics()).not.toContain('huge')
    await expect(admin.createTopic('taken')).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
  })

  test.each<[string, unknown, string, RegExp]>([
    ['no array', 'x', 'INVALID_REQUEST', /takes an array of topics; "x" was given/],
    ["kafkajs's shape", { topics: [{ topic: 'x' }] }, 'INVALID_REQUEST', /takes an array of topics/],
    ["kafkajs's topic", [{ topic: 'x' }], 'INVALID_CONFIG', /there is no topic option "topic": it is called name here/],
    ["kafkajs's count", [{ name: 'x', numPartitions: 3 }], 'INVALID_CONFIG', /it is called partitions here/],
    ['nothing', [undefined], 'INVALID_REQUEST', /a topic to be made is a name, \{ name, partitions, config \} or a definition/],
    ['a name twice', ['x', { name: 'x' }], 'INVALID_REQUEST', /topic x is named twice/],
    ['a wrong name', ['x', 'a b'], 'INVALID_TOPIC_EXCEPTION', /"a b" was given/],
    ['a wrong config', ['x', { name: 'y', config: { 'retention.msec': 1 } }], 'INVALID_CONFIG', /did you mean retention\.ms/],
    ['a wrong count', ['x', { name: 'y', partitions: 0 }], 'INVALID_PARTITIONS', /from 1 to/],
  ])('%s: nothing is made', async (_, topics, code, message) => {
    const error = await failure(admin.createTopics(topics as string[]))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string })
    expect(await admin.listTopics()).not.toContain('x')
  })

  test('validateOnly: says what would be made or why not, and makes nothing', async () => {
    const topics = ['validated', { name: 'validated-too', partitions: 3, config: { 'retention.ms': 1_000 } }]
    expect(await admin.createTopics(topics, { validateOnly: true })).toEqual([
      { name: 'validated', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: 1, replicationFactor: 1, config: {} },
      {
        name: 'validated-too',
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitions: 3,
        replicationFactor: 1,
        config: { 'retention.ms': '1000' },
      },
    ])
    await admin.createTopic('there')
    const error = await failure(admin.createTopics(['validated', 'there', { name: 'huge', partitions: 1_000 }], { validateOnly: true }))
    expect([...(error.cause as ItemFailures).byName].map(([name, { code }]) => [name, code])).toEqual([
      ['there', 'TOPIC_ALREADY_EXISTS'],
      ['huge', 'INVALID_PARTITIONS'],
    ])
    expect(await admin.createTopic('validated', { validateOnly: true })).toMatchObject({ name: 'validated' })
    expect((await admin.listTopics()).filter((name) => name.startsWith('validated'))).toEqual([])
    expect((await admin.createTopics(topics, { validateOnly: false })).map(({ name }) => name)).toEqual(['validated', 'validated-too'])
    expect(await failure(admin.createTopic('x', { dryRun: true } as never))).toMatchObject({
      message: expect.stringMatching(/it is called validateOnly here/) as string,
    })
  })

  test('a topic that is bound is there already', async () => {
    const bound = await millrace.topic('bound')
    await expect(admin.createTopic(bound)).rejects.toThrow(/topic "bound" is there/)
  })

  test('more replicas than there are', async () => {
    await expect(admin.createTopic({ name: 'replicated', replicationFactor: 3 })).rejects.toMatchObject({
      code: 'INVALID_REPLICATION_FACTOR',
    })
  })
})

describe('describeTopics', () => {
  test('what a topic is and where it stands', async () => {
    const topic = await millrace.topic('stands', { partitions: 2, value: string() })
    await millrace.producer().sendAll(
      topic,
      [0, 1, 1].map((partition) => ({ value: 'x'.repeat(20_000), partition })),
    )
    const described = await admin.describeTopic('stands')
    expect(described).toMatchObject({ name: 'stands', topicId: topic.topicId, isInternal: false, config: {} })
    expect(described.partitions.map(({ startOffset, endOffset }) => [startOffset, endOffset])).toEqual([
      [0, 1],
      [0, 2],
    ])
    for (const { leader, leaderEpoch, replicas, isr, heldBytes } of described.partitions) {
      expect([0, 1]).toContain(leader)
      expect([replicas, isr, leaderEpoch]).toEqual([[leader], [leader], 0])
      expect(heldBytes).toBeGreaterThanOrEqual(32 * 1024)
      expect(heldBytes % (16 * 1024)).toBe(0)
    }
    expect(Object.isFrozen(described) && Object.isFrozen(described.partitions[0])).toBe(true)
  })

  test('in the order of the names; those that are not there are named', async () => {
    await admin.createTopics(['one', 'two'])
    expect((await admin.describeTopics(['two', 'one'])).map(({ name }) => name)).toEqual(['two', 'one'])
    const error = await failure(admin.describeTopics(['one', 'none', 'nothing']))
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: false })
    expect([...(error.cause as ItemFailures).byName.keys()]).toEqual(['none', 'nothing'])
    await expect(admin.describeTopics(['one', 'one'])).rejects.toThrow(/topic one is named twice/)
    await expect(admin.describeTopic(5 as never)).rejects.toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' })
  })
})

describe('options', () => {
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['a timeout', () => admin.describeTopic('x', { timeoutMs: 5 } as never), /bound it with signal: AbortSignal\.timeout\(ms\)/],
    ["kafkajs's waiting", () => admin.createTopic('x', { waitForLeaders: true } as never), /always waits until they are led/],
    ['another name', () => admin.listTopics({ includeInternal: true } as never), /it is called listInternal here/],
    ['a misspelt name', () => admin.listTopics({ listInternals: true } as never), /did you mean listInternal/],
    ['no signal', () => admin.describeTopic('x', { signal: 5 } as never), /signal must be an AbortSignal; 5 was given/],
  ])('%s', async (_, call, message) => {
    expect(await failure(call())).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringMatching(message) as string })
  })

  test('an abort in the same job counts', async () => {
    for (const call of [
      (signal: AbortSignal) => admin.listTopics({ signal }),
      (signal: AbortSignal) => admin.describeTopic('x', { signal }),
      (signal: AbortSignal) => admin.describeConfigs({ type: 'broker' }, { signal }),
      (signal: AbortSignal) => admin.describeCluster({ signal }),
      (signal: AbortSignal) => admin.describeBroker(0, { signal }),
      (signal: AbortSignal) => admin.describeLogMemory({ signal }),
      (signal: AbortSignal) => admin.listOffsets('x', 'latest', { signal }),
      (signal: AbortSignal) => admin.deleteRecords('x', { 0: 'end' }, { signal }),
      (signal: AbortSignal) => admin.createTopic('aborted', { signal }),
      (signal: AbortSignal) => admin.createTopic('aborted', { validateOnly: true, signal }),
      (signal: AbortSignal) => admin.deleteTopics('x', { signal }),
      (signal: AbortSignal) => admin.createPartitions('x', 2, { signal }),
      (signal: AbortSignal) => admin.moveLeader('x', 0, 0, { signal }),
      (signal: AbortSignal) => admin.incrementalAlterConfigs({ type: 'broker', set: { 'message.max.bytes': 1_000 } }, { signal }),
    ]) {
      const controller = new AbortController()
      const call1 = call(controller.signal)
      controller.abort()
      expect(await failure(call1)).toMatchObject({ code: 'ABORTED' })
    }
  })
})
