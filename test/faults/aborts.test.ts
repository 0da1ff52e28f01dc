// An AbortSignal that fires in the middle of everything that waits: the call rejects with
// ABORTED, nothing of it stays behind, and everything else goes on.

import { getEventListeners } from 'node:events'
import { afterAll, describe, expect, test } from 'vitest'
import { attachMillrace, openMillrace } from '../../src/index.ts'
import { MillraceError } from '../../src/errors.ts'
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
}

let names = 0
const newName = (prefix: string): string => `${prefix}-${names++}`

const CALLS: readonly Call[] = [
  { name: 'admin.listTopics', run: ({ millrace }, _, signal) => millrace.admin.listTopics({ signal }) },
  { name: 'admin.describeTopic', run: ({ millrace }, topic, signal) => millrace.admin.describeTopic(topic.name, { signal }) },
  { name: 'admin.createTopics', run: ({ millrace }, _, signal) => millrace.admin.createTopics([newName('a'), newName('b')], { signal }) },
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
      const calls = controllers.map(({ signal }) => CALLS[random.below(CALLS.length)]!.run(faulty, other, signal))
      const settled = Promise.allSettled(calls)
      const dying = faulty.kill(round % 3)
      for (const controller of controllers) {
        await someTime(random)
        controller.abort()
      }
      await dying
      for (const result of await settled) {
        if (result.status === 'fulfilled') {
          counts.done++
          continue
        }
        const error = result.reason as MillraceError
        expect(error).toBeInstanceOf(MillraceError)
        // Or it ended by the death of the broker that it was at.
        expect(['ABORTED', 'NETWORK_EXCEPTION']).toContain(error.code)
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
