// What an admin changes while producers send and readers read: configs, partitions,
// topics, leaders. Nothing that was acknowledged is lost, doubled or moved.

import { afterAll, expect, test } from 'vitest'
import type { Producer, Topic } from '../../src/index.ts'
import { string } from '../../src/index.ts'
import { seededRandom } from '../../src/random.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { LiveReader } from './live-reader.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0xad41
const counts = { moves: 0, kills: 0, grown: 0, recreated: 0, acked: 0 }

afterAll(() => console.log(`admin under load, seed ${SEED}: ${JSON.stringify(counts)}`))

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('retention.bytes, altered while the topic is full and while it is written to', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const { admin } = faulty.millrace
  const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = faulty.millrace.producer()
  const fill = (): Promise<unknown> =>
    Promise.all([0, 1].flatMap((partition) => Array.from({ length: 30 }, () => ledger.send(producer, topic, partition, 100_000))))
  await fill()
  expect((await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)).toEqual([0, 0])
  await admin.incrementalAlterConfigs({ type: 'topic', name: 't', set: { 'retention.bytes': 1_000_000 } })
  // What is there goes without a record more.
  for (;;) {
    const { partitions } = await admin.describeTopic('t')
    if (partitions.every(({ heldBytes }) => heldBytes < 2_500_000)) break
    await turn()
  }
  await fill()
  const bounded = await admin.describeTopic('t')
  expect(bounded.config).toEqual({ 'retention.bytes': '1000000' })
  for (const { startOffset, expiredRecords } of bounded.partitions) {
    expect(startOffset).toBeGreaterThan(20)
    expect(expiredRecords).toBe(startOffset)
  }
  // Taken back, nothing goes any more.
  await admin.incrementalAlterConfigs({ type: 'topic', name: 't', delete: ['retention.bytes'] })
  for (;;) {
    const before = (await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)
    await fill()
    const after = (await admin.describeTopic('t')).partitions.map(({ startOffset }) => startOffset)
    if (after.join() === before.join()) break
  }
  await ledger.verify(faulty.millrace, topic)
  await faulty.close()
})

test('leaders moved under several producers and a reader, while brokers die', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
  const { millrace } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 3, config: { 'retention.bytes': -1 } })
  const random = seededRandom(SEED)
  const ledger = new SentLedger()
  const reader = new LiveReader(millrace, topic)
  const loads = [0, 1, 2].map(
    (producerNumber) => new SteadyLoad({ producer: millrace.producer(), topic, ledger, seed: random.uint32(), producerNumber }),
  )
  for (let round = 0; round < 15; round++) {
    const partition = round % 3
    const before = (await millrace.admin.describeTopic('t')).partitions[partition]!
    const target = (before.leader + 1 + random.below(2)) % 3
    const killed = round % 5 === 4 ? faulty.kill(before.leader) : undefined
    if (killed === undefined) {
      await millrace.admin.moveLeader('t', partition, target)
      const after = (await millrace.admin.describeTopic('t')).partitions[partition]!
      expect(after.leader).toBe(target)
      expect(after.leaderEpoch).toBeGreaterThan(before.leaderEpoch)
      counts.moves++
    } else {
      await killed
      counts.kills++
      await faulty.happened('brokerRestarted', counts.kills)
    }
    for (const load of loads) await load.progress()
  }
  for (const load of loads) await load.stop()
  await ledger.verify(millrace, topic)
  await reader.caughtUp(millrace)
  await reader.stop()
  counts.acked += ledger.acked
  // Producers are idempotent: nothing that was sent is lost.
  expect(ledger.failures).toEqual([])
  await faulty.close()
  expect(faulty.count('brokerDied')).toBe(counts.kills)
})

test('partitions added under producers that key, that do not, and a reader', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
  const { millrace } = faulty
  const topic = await millrace.topic('t', { partitions: 1, value: string(), config: { 'retention.bytes': -1 } })
  const read = new Map<string, string>()
  const consumer = millrace.consumer()
  const reading = (async () => {
    for await (const { partition, offset, value } of consumer.records(topic)) {
      // From their start, each offset once.
      expect(offset === 0 || read.has(`${partition}@${offset - 1}`)).toBe(true)
      expect(read.has(`${partition}@${offset}`)).toBe(false)
      read.set(`${partition}@${offset}`, value)
      if (value === 'last') break
    }
  })()
  let isOver = false
  const acked: { where: string; value: string; partition: number; sentWith: number }[] = []
  const send = async (producer: Producer, name: string, isKeyed: boolean): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const value = `${name}-${n}`
      const sentWith = topic.partitions
      const { partition, offset } = await producer.send(topic, { key: isKeyed ? value : null, value })
      acked.push({ where: `${partition}@${offset}`, value, partition, sentWith })
    }
  }
  const producers = [0, 1].map(() => millrace.producer({ batchSize: 256 }))
  const loads = producers.flatMap((producer, id) =>
    [0, 1, 2, 3].map((loop) => send(producer, `${id}-${loop}`, loop % 2 === 0).finally(() => (isOver = true))),
  )
  for (let partitions = 2; partitions <= 9; partitions++) {
    await millrace.admin.createPartitions('t', partitions)
    counts.grown++
    // Until the new partition is written to: keys reach it soon.
    while (!isOver && !acked.some(({ partition }) => partition === partitions - 1)) await turn()
  }
  isOver = true
  await Promise.all(loads)
  for (const { partition, sentWith, where } of acked) if (sentWith === 1) expect(partition, where).toBe(0)
  // Behind the last of each partition that the reader must come to.
  const { partitions } = await millrace.admin.describeTopic('t')
  expect(partitions.every(({ endOffset }) => endOffset > 0)).toBe(true)
  while (read.size < partitions.reduce((sum, { endOffset }) => sum + endOffset, 0)) await turn()
  await producers[0]!.send(topic, { value: 'last' })
  await reading
  expect(acked.filter(({ where, value }) => read.get(where) !== value)).toEqual([])
  expect(read.size).toBe(acked.length + 1)
  counts.acked += acked.length
  await faulty.close()
})

test('a topic deleted and made again, time after time, under producers that go on with the next', async () => {
  const ROUNDS = 12
  const faulty = await FaultyMillrace.open({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
  const { millrace } = faulty
  const options = { partitions: 3, value: string() } as const
  let topic: Topic<string | null, string> = await millrace.topic('t', options)
  const acked: { topicId: string; where: string; value: string }[] = []
  const refused: string[] = []
  let isOver = false
  const send = async (producer: Producer, name: string): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const bound = topic
      const value = `${bound.topicId} ${name}-${n}`
      try {
        const { partition, offset } = await producer.send(bound, { value })
        acked.push({ topicId: bound.topicId, where: `${partition}@${offset}`, value })
      } catch (error) {
        refused.push((error as { code: string }).code)
        await turn()
      }
    }
  }
  const producers = [0, 1, 2].map(() => millrace.producer({ batchSize: 512 }))
  const loads = producers.flatMap((producer, id) => [0, 1, 2, 3].map((loop) => send(producer, `${id}-${loop}`)))
  for (let round = 0; round < ROUNDS; round++) {
    const { topicId } = topic
    while (acked.filter((each) => each.topicId === topicId).length < 100) await turn()
    // What is acknowledged is there, each at its offset; nothing of a topic before it.
    const before = acked.filter((each) => each.topicId === topicId)
    const log = new Map<string, string>()
    const consumer = millrace.consumer()
    for await (const { partition, offset, value } of consumer.records(topic, { until: 'end' })) log.set(`${partition}@${offset}`, value)
    await consumer.close()
    expect(before.filter(({ where, value }) => log.get(where) !== value)).toEqual([])
    expect([...log.values()].filter((value) => !value.startsWith(topicId))).toEqual([])
    await millrace.admin.deleteTopics('t')
    topic = await millrace.topic('t', options)
    expect(topic.topicId).not.toBe(topicId)
    counts.recreated++
  }
  isOver = true
  await Promise.all(loads)
  expect(new Set(refused)).toEqual(new Set(['UNKNOWN_TOPIC_ID']))
  counts.acked += acked.length
  await faulty.close()
})
