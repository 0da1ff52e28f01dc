// An AbortSignal that fires in the middle of everything that waits: the call rejects with
// ABORTED, nothing of it stays behind, and everything else goes on.

import { getEventListeners } from 'node:events'
import { afterAll, describe, expect, test } from 'vitest'
import { attachMillrace, openMillrace } from '../../src/index.ts'
import { MillraceError } from '../../src/errors.ts'
import type { ErrorName } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'
import type { BytesTopic } from './sent-ledger.ts'
import { SteadyLoad } from './steady-load.ts'

const SEED = 0xab07
const counts = { aborted: 0, done: 0 }

afterAll(() => console.log(`aborts, seed ${SEED}: ${counts.aborted} calls aborted, ${counts.done} done before`))

interface Call {
  readonly name: string
  run(faulty: FaultyMillrace, topic: BytesTopic, signal: AbortSignal): Promise<unknown>
  /** What it may be told, besides, of brokers that die. */
  readonly mayReject?: ErrorName
}

let names = 0
const newName = (prefix: string): string => `${prefix}-${names++}`

const CALLS: readonly Call[] = [
  { name: 'admin.listTopics', run: ({ millrace }, _, signal) => millrace.admin.listTopics({ signal }) },
  { name: 'admin.describeTopic', run: ({ millrace }, topic, signal) => millrace.admin.describeTopic(topic.name, { signal }) },
  {
    name: 'admin.createTopics',
    run: ({ millrace }, _, signal) => millrace.admin.createTopics([newName('a'), newName('b')], { signal }),
    // By itself: the controller died behind the first try.
    mayReject: 'TOPIC_ALREADY_EXISTS',
  },
  {
    name: 'admin.createTopics, validateOnly',
    run: ({ millrace }, _, signal) => millrace.admin.createTopics([newName('v')], { validateOnly: true, signal }),
  },
  {
    name: 'admin.deleteTopics',
    run: async ({ millrace }, _, signal) => {
      const { name } = await millrace.admin.createTopic(newName('d'), { signal })
      await millrace.admin.deleteTopics(name, { signal })
    },
    mayReject: 'TOPIC_ALREADY_EXISTS',
  },
  {
    name: 'admin.createPartitions',
    run: async ({ millrace }, _, signal) => {
      const { name } = await millrace.admin.createTopic(newName('p'), { signal })
      await millrace.admin.createPartitions(name, 3, { signal })
    },
    mayReject: 'TOPIC_ALREADY_EXISTS',
  },
  {
    name: 'admin.incrementalAlterConfigs',
    run: ({ millrace }, topic, signal) =>
      millrace.admin.incrementalAlterConfigs(
        [
          { type: 'topic', name: topic.name, set: { 'retention.ms': 3_600_000 + names++ } },
          { type: 'broker', set: { 'message.max.bytes': 1_000_000 + names++ } },
        ],
        { signal },
      ),
  },
  {
    name: 'admin.moveLeader',
    // There and back: one of the two has something to do.
    run: async ({ millrace }, topic, signal) => {
      for (const brokerId of [0, 1]) await millrace.admin.moveLeader(topic.name, 0, brokerId, { signal })
    },
    mayReject: 'BROKER_NOT_AVAILABLE',
  },
  {
    name: 'admin.describeConfigs',
    run: ({ millrace }, topic, signal) =>
      millrace.admin.describeConfigs([{ type: 'topic', name: topic.name }, { type: 'broker' }, { type: 'broker', name: 0 }], { signal }),
  },
  { name: 'admin.describeCluster', run: ({ millrace }, _, signal) => millrace.admin.describeCluster({ signal }) },
  { name: 'admin.describeBroker', run: ({ millrace }, _, signal) => millrace.admin.describeBroker(0, { signal }) },
  { name: 'admin.describeLogMemory', run: ({ millrace }, _, signal) => millrace.admin.describeLogMemory({ signal }) },
  { name: 'admin.listOffsets', run: ({ millrace }, topic, signal) => millrace.admin.listOffsets(topic.name, { timestamp: 0 }, { signal }) },
  {
    name: 'admin.deleteRecords',
    run: ({ millrace }, topic, signal) => millrace.admin.deleteRecords(topic.name, { 0: 'end', 1: 'end' }, { signal }),
  },
  { name: 'topic, there already', run: ({ millrace }, topic, signal) => millrace.topic(topic.name, { signal }) },
  { name: 'topic, new', run: ({ millrace }, _, signal) => millrace.topic(newName('t'), { signal }) },
  {
    name: 'attachMillrace',
    run: async ({ millrace }, _, signal) => (await attachMillrace(millrace.handle, { signal })).close(),
  },
  {
    name: 'records',
    run: async ({ millrace }, topic, signal) => {
      for await (const record of millrace.consumer().records(topic, { signal })) if (record.offset < 0) break
    },
  },
  {
    name: 'batches',
    run: async ({ millrace }, topic, signal) => {
      const batches = millrace.consumer().batches(topic, { signal })
      for (;;) await batches.next()
    },
  },
  {
    name: 'flush',
    run: async ({ millrace }, topic, signal) => {
      const producer = millrace.producer()
      for (let i = 0; i < 20; i++) producer.offer(topic, null, new Uint8Array(2_000), { partition: i % 2 })
      try {
        await producer.flush({ signal })
      } finally {
        await producer.flush()
        await producer.close()
      }
    },
  },
  {
    name: 'send',
    run: async ({ millrace }, topic, signal) => {
      const producer = millrace.producer()
      try {
        for (;;) await producer.send(topic, { value: new Uint8Array(100) }, { signal })
      } finally {
        await producer.close()
      }
    },
  },
  {
    name: 'sendAll',
    run: async ({ millrace }, topic, signal) => {
      // Most of them wait for room.
      const producer = millrace.producer({ bufferMemory: 70_000 })
      const records = Array.from({ length: 500 }, () => ({ value: new Uint8Array(2_000) }))
      try {
        for (;;) await producer.sendAll(topic, records, { signal })
      } finally {
        await producer.close()
      }
    },
  },
  {
    name: 'drained',
    run: async ({ millrace }, topic, signal) => {
      const producer = millrace.producer({ bufferMemory: 70_000 })
      try {
        for (;;) if (!producer.offer(topic, null, new Uint8Array(10_000))) await producer.drained({ signal })
      } finally {
        await producer.close()
      }
    },
  },
]

/** Some microtasks or turns of the event loop, by chance. */
async function someTime(random: Random): Promise<void> {
  if (random.below(3) === 0) for (let i = random.below(6); i > 0; i--) await Promise.resolve()
  else for (let i = random.below(12); i > 0; i--) await new Promise((resolve) => setImmediate(resolve))
}

test.each(CALLS)('$name: aborted before, at once and in the middle', async ({ run }) => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
  const random = seededRandom(SEED)
  const reason = new Error('the user has left')
  for (let i = 0; i < 12; i++) {
    const controller = new AbortController()
    if (i === 0) controller.abort(reason)
    const call = run(faulty, topic, controller.signal)
    call.catch(() => undefined)
    if (i > 1) await someTime(random)
    controller.abort(reason)
    try {
      await call
      counts.done++
    } catch (error) {
      expect(error).toMatchObject({ code: 'ABORTED', retriable: false, cause: reason })
      counts.aborted++
    }
    // Nothing listens any more, and nobody holds the process.
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  }
  // The one bell of this thread and those of the brokers: what was attached is gone.
  while (faulty.bells.liveCount !== 3) await new Promise((resolve) => setImmediate(resolve))
  const ledger = new SentLedger()
  expect(await ledger.send(faulty.millrace.producer(), topic, 0)).toBeTypeOf('number')
  await faulty.close()
})

test('openMillrace: aborted before and in the middle', async () => {
  for (const turns of [0, 1, 3]) {
    const controller = new AbortController()
    const opening = openMillrace({ brokers: 2, logLevel: 'silent' }, { signal: controller.signal })
    opening.catch(() => undefined)
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  }
})

test('what an aborted change has asked for is done or not, and never half', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 2 })
  const { admin } = faulty.millrace
  const random = seededRandom(SEED + 2)
  /** The call, aborted after a while. */
  const aborted = async (call: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const controller = new AbortController()
    const called = call(controller.signal).catch((error: unknown) => expect(error).toMatchObject({ code: 'ABORTED' }))
    await someTime(random)
    controller.abort()
    await called
  }
  for (let i = 0; i < 20; i++) {
    const name = newName('half')
    await aborted((signal) => admin.createTopic({ name, partitions: 3, config: { 'retention.ms': 5_000 } }, { signal }))
    // A call that comes later is answered later: what the one before asked for is done by then, or never will be.
    await admin.createTopic(newName('after'))
    const isMade = (await admin.listTopics()).includes(name)
    if (!isMade) continue
    expect(await admin.describeTopic(name)).toMatchObject({ config: { 'retention.ms': '5000' }, partitions: { length: 3 } })
    await aborted((signal) => admin.createPartitions(name, 6, { signal }))
    await aborted((signal) =>
      admin.incrementalAlterConfigs({ type: 'topic', name, set: { 'retention.ms': 1, 'segment.ms': 2 } }, { signal }),
    )
    await admin.createTopic(newName('after'))
    const { partitions, config } = await admin.describeTopic(name)
    expect([3, 6]).toContain(partitions.length)
    expect([{ 'retention.ms': '5000' }, { 'retention.ms': '1', 'segment.ms': '2' }]).toContainEqual(config)
    await aborted((signal) => admin.deleteTopics(name, { signal }))
    await admin.createTopic(newName('after'))
    if ((await admin.listTopics()).includes(name)) await admin.deleteTopics(name)
  }
  await faulty.close()
})

describe('in the middle of everything', () => {
  test('all kinds of calls are aborted at random while brokers die under load', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
    const { millrace } = faulty
    const topic = await bytesTopic(millrace, 'load', { partitions: 3, config: { 'retention.bytes': -1 } })
    const other = await bytesTopic(millrace, 't', { partitions: 2 })
    const random = seededRandom(SEED + 1)
    const ledger = new SentLedger()
    const load = new SteadyLoad({ producer: millrace.producer(), topic, ledger })
    for (let round = 0; round < 6; round++) {
      const controllers = Array.from({ length: 12 }, () => new AbortController())
      const calls = controllers.map(() => CALLS[random.below(CALLS.length)]!)
      const settled = Promise.allSettled(calls.map(({ run }, i) => run(faulty, other, controllers[i]!.signal)))
      const dying = faulty.kill(round % 3)
      for (const controller of controllers) {
        await someTime(random)
        controller.abort()
      }
      await dying
      for (const [i, result] of (await settled).entries()) {
        if (result.status === 'fulfilled') {
          counts.done++
          continue
        }
        const error = result.reason as MillraceError
        expect(error).toBeInstanceOf(MillraceError)
        // Or it ended by the death of the broker that it was at.
        expect(['ABORTED', 'NETWORK_EXCEPTION', calls[i]!.mayReject]).toContain(error.code)
        counts.aborted++
      }
      await load.progress()
      await faulty.happened('brokerRestarted', round + 1)
    }
    await load.stop()
    await ledger.verify(millrace, topic)
    while (faulty.bells.liveCount !== 4) await new Promise((resolve) => setImmediate(resolve))
    await faulty.close()
  })
})
