// Broker threads that end under load, in every way a thread can end: alone, two at once,
// the only one, the controller's.

import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test } from 'vitest'
import { openMillrace } from '../../src/index.ts'
import { UNLIMITED, killAt, killLeaders, report, tally } from './fault-rounds.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

const SEED = 0xdead
const KEEPS_ALL = { 'retention.bytes': -1 }

afterAll(() => console.log(report('broker deaths', SEED)))

describe.each([{ brokers: 3 }, { brokers: 1 }])('under load, with $brokers broker(s)', ({ brokers }) => {
  test('a thread that is terminated at any instant', async () => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
    const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 4, config: KEEPS_ALL })
    await killLeaders(faulty, topic, {
      seed: SEED,
      rounds: 6,
      kill: async (_, leader) => {
        await faulty.kill(leader)
        tally.kills++
      },
    })
    expect(faulty.count('brokerDied')).toBe(6)
    await faulty.happened('brokerRestarted', 6)
    await faulty.close()
  })

  test.each<{ action: FaultAction; code: string }>([
    { action: 'throw', code: 'fault at lane.reader.taken' },
    { action: 'outOfMemory', code: 'out of memory|memory limit' },
  ])('a thread that ends by: $action', async ({ action, code }) => {
    const faulty = await FaultyMillrace.open({
      brokers,
      restarts: UNLIMITED,
      resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
    })
    const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 4, config: KEEPS_ALL })
    await killLeaders(faulty, topic, {
      seed: SEED + 1,
      rounds: 3,
      kill: (_, leader, random) => killAt(faulty, leader, 'lane.reader.taken', action, 1 + random.below(20)),
    })
    const deaths = faulty.events.flatMap((event) => (event.type === 'brokerDied' ? [event.error] : []))
    expect(deaths).toHaveLength(3)
    for (const error of deaths) expect(error?.message).toMatch(new RegExp(code, 'i'))
    await faulty.close()
  })
})

test('two of three brokers at once, whichever', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
  const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 6, config: KEEPS_ALL })
  let deaths = 0
  await killLeaders(faulty, topic, {
    seed: SEED + 2,
    rounds: 6,
    kill: async (round, leader) => {
      // All are back before the next two go.
      await faulty.happened('brokerRestarted', deaths)
      const other = (leader + 1 + (round % 2)) % 3
      await Promise.all([faulty.kill(leader), faulty.kill(other)])
      deaths += 2
      tally.kills += 2
    },
  })
  expect(faulty.count('brokerDied')).toBe(12)
  await faulty.close()
})

test('all brokers at once: those that are started again adopt everything', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
  const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 6, config: KEEPS_ALL })
  await killLeaders(faulty, topic, {
    seed: SEED + 3,
    rounds: 2,
    kill: async (round) => {
      await faulty.happened('brokerRestarted', 3 * round)
      await Promise.all([0, 1, 2].map((id) => faulty.kill(id)))
      tally.kills += 3
    },
  })
  await faulty.close()
})

test('a broker that waits for the next bites again and again while it starts', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1, restarts: UNLIMITED })
  const topic = await bytesTopic(faulty.millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = faulty.millrace.producer()
  for (let i = 0; i < 20; i++) await ledger.send(producer, topic, i % 2)
  // Its successor dies while it publishes what the one before left, the next while it fences that one, the next
  // while it registers, at each step of the way.
  const steps: readonly (readonly [KillPoint, number])[] = [
    ['controller.initialised', 1],
    ['controller.committed', 1],
    ['controller.appended', 1],
    ['controller.initialised', 2],
    ['controller.committed', 2],
    ['controller.appended', 2],
    ['controller.initialised', 3],
    ['controller.committed', 3],
  ]
  for (const [point, passing] of steps) {
    // The one that is killed is registered: there is somebody to fence.
    await ledger.sendUntilAcked(producer, topic, 0)
    const seen = faulty.faults.bites(0)
    faulty.faults.arm(0, point, 'exit', passing)
    await faulty.kill(0)
    await faulty.faults.bitten(0, seen)
    tally.kills += 2
  }
  for (let i = 0; i < 20; i++) await ledger.sendUntilAcked(producer, topic, i % 2)
  const read = await ledger.verify(faulty.millrace, topic)
  expect(read[0]!.leaderEpochs.at(-1)).toBeGreaterThanOrEqual(3)
  await faulty.close()
})

describe('the controller', () => {
  test('its broker dies: the lowest living broker takes over, knows all topics, and makes new ones', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
    const names: string[] = []
    for (let round = 0; round < 6; round++) {
      const controller = faulty.activeController
      await faulty.kill(controller)
      tally.kills++
      const topic = await bytesTopic(faulty.millrace, `topic-${round}`, { partitions: 3 })
      names.push(topic.name)
      const lowest = Math.min(...[0, 1, 2].filter((id) => id !== controller))
      // The one that died may be back already, but it is not asked before its successor.
      expect([lowest, controller]).toContain(faulty.activeController)
      expect((await faulty.millrace.admin.listTopics()).sort()).toEqual(names)
      const ledger = new SentLedger()
      const producer = faulty.millrace.producer()
      for (let partition = 0; partition < 3; partition++) await ledger.sendUntilAcked(producer, topic, partition)
      await producer.close()
      await ledger.verify(faulty.millrace, topic)
      await faulty.happened('brokerRestarted', round + 1)
    }
    await faulty.close()
  })

  test.each<{ action: FaultAction; brokers: number }>([
    { action: 'park', brokers: 3 },
    { action: 'throw', brokers: 3 },
    { action: 'exit', brokers: 3 },
    { action: 'park', brokers: 1 },
    { action: 'throw', brokers: 1 },
  ])('dies between the record of a topic and the topic ($action, $brokers brokers): the topic is there', async ({ action, brokers }) => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
    for (let round = 0; round < 3; round++) {
      const death = killAt(faulty, faulty.activeController, 'controller.appended', action)
      const topic = await bytesTopic(faulty.millrace, `topic-${round}`, { partitions: 5 })
      await death
      expect((await faulty.millrace.admin.listTopics()).length).toBe(round + 1)
      const ledger = new SentLedger()
      const producer = faulty.millrace.producer()
      for (let i = 0; i < 20; i++) await ledger.sendUntilAcked(producer, topic, i % 5, 2_000)
      await producer.close()
      await ledger.verify(faulty.millrace, topic)
      await faulty.happened('brokerRestarted', round + 1)
    }
    await faulty.close()
  })

  test.each([{ brokers: 1 }, { brokers: 3 }])(
    'dies with calls waiting for it: its successor answers them ($brokers brokers)',
    async ({ brokers }) => {
      const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
      const { millrace } = faulty
      for (let round = 0; round < 3; round++) {
        const death = killAt(faulty, faulty.activeController, 'controller.appended', 'throw')
        const made = faulty.engine.createTopic({ name: `topic-${round}`, partitions: 1, config: {} }).catch((error: unknown) => error)
        // They come in one turn: all but the first stand in its mailbox when it fails.
        const blocks = Array.from({ length: 20 }, () => faulty.engine.allocateProducerIds())
        await death
        // In doubt whether it was made, it was made again.
        expect(await made).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
        const firsts = (await Promise.all(blocks)).map(({ firstProducerId }) => firstProducerId)
        expect(new Set(firsts).size).toBe(20)
        expect(await millrace.admin.listTopics()).toContain(`topic-${round}`)
        await faulty.happened('brokerRestarted', round + 1)
      }
      await faulty.close()
    },
  )

  test('dies between fencing a dead broker and finding leaders for its partitions', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED })
    const topic = await bytesTopic(faulty.millrace, 't', { partitions: 6, config: KEEPS_ALL })
    // The passing-th batch that is written because of the death: the fencing with the elections, or the registration of the next.
    let deaths = 0
    await killLeaders(faulty, topic, {
      seed: SEED + 4,
      rounds: 6,
      kill: async (round) => {
        await faulty.happened('brokerRestarted', deaths)
        const controller = faulty.activeController
        const death = killAt(faulty, controller, 'controller.appended', (['park', 'throw', 'exit'] as const)[round % 3]!, 1 + (round % 2))
        const { partitions } = await faulty.millrace.admin.describeTopic('t')
        const { leader } = partitions[round % 6]!
        const victim = leader === controller ? (controller + 1) % 3 : leader
        await faulty.kill(victim)
        await death
        tally.kills++
        deaths += 2
      },
    }).catch((error: unknown) => {
      throw new Error(`after ${deaths} deaths`, { cause: error })
    })
    await faulty.close()
  })
})

test('the public face: a broker thread is found by its name and terminated, and the logger hears of it', async () => {
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const said: string[] = []
  const log = (_: object, message: string): void => void said.push(message)
  const millrace = await openMillrace({ brokers: 2, logLevel: 'debug', logger: { debug: log, info: log, warn: log, error: log } })
  const topic = await bytesTopic(millrace, 't', { partitions: 2 })
  const ledger = new SentLedger()
  const producer = millrace.producer()
  for (let i = 0; i < 20; i++) await ledger.send(producer, topic, i % 2)
  for (const worker of workers.slice()) {
    const exited = once(worker, 'exit')
    await worker.terminate()
    await exited
    tally.kills++
    for (let i = 0; i < 20; i++) await ledger.sendUntilAcked(producer, topic, i % 2)
  }
  process.off('worker', onWorker)
  await ledger.verify(millrace, topic)
  await millrace.close()
  expect(said.filter((message) => message.endsWith('died'))).toHaveLength(2)
})
