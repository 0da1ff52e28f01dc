import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BrokerRestarts, RESTART_DELAY_MS } from '../../src/broker/broker-restarts.ts'
import { VirtualClock } from '../../src/clock.ts'
import { closeStaged, openStaged, until } from './staged-millrace.ts'

let clock: VirtualClock
let living: Set<number>
let restarted: number[]
let restarts: BrokerRestarts

beforeEach(() => {
  clock = new VirtualClock()
  living = new Set([0, 1, 2])
  restarted = []
  restarts = new BrokerRestarts({
    clock,
    isAnyAlive: () => living.size > 0,
    restart: (brokerId) => {
      living.add(brokerId)
      restarted.push(brokerId)
    },
  })
})
afterEach(closeStaged)

function die(brokerId: number, isGivenUp = false): void {
  living.delete(brokerId)
  if (!isGivenUp) restarts.add(brokerId)
  restarts.look()
}

test('a broker waits while another lives', () => {
  die(1)
  clock.advance(RESTART_DELAY_MS - 1)
  expect(restarted).toEqual([])
  clock.advance(1)
  expect(restarted).toEqual([1])
  clock.advance(10 * RESTART_DELAY_MS)
  expect(restarted).toEqual([1])
})

test('when the last one dies all are started at once, and once only', () => {
  die(1)
  clock.advance(10)
  die(0)
  expect(restarted).toEqual([])
  die(2)
  expect(restarted).toEqual([1, 0, 2])
  clock.advance(10 * RESTART_DELAY_MS)
  expect(restarted).toEqual([1, 0, 2])
  expect(clock.pending).toBe(0)
})

test('when the last one is given up, the others are started at once', () => {
  die(0, true)
  die(1)
  expect(restarted).toEqual([])
  die(2, true)
  expect(restarted).toEqual([1])
})

test('one that dies again waits again', () => {
  die(1)
  clock.advance(RESTART_DELAY_MS)
  die(1)
  clock.advance(RESTART_DELAY_MS - 1)
  expect(restarted).toEqual([1])
  clock.advance(1)
  expect(restarted).toEqual([1, 1])
})

test('nobody is started after the end', () => {
  die(1)
  restarts.cancel()
  clock.advance(10 * RESTART_DELAY_MS)
  expect(restarted).toEqual([])
  expect(clock.pending).toBe(0)
})

test('of a millrace: others lead first; a thread that attaches meanwhile comes to the broker when it runs', async () => {
  const { clock: time, spawner, cluster, leaders, restarted: again, attach } = await openStaged(2)
  const incarnations = (): string[] => cluster.brokers.map(({ brokerId, incarnation }) => `${brokerId}.${incarnation}`)
  await spawner.get(0, 1).terminate()
  expect(incarnations()).toEqual(['1.1'])
  await until(() => leaders().every((leader) => leader === 1))
  const engine = await attach()
  expect(spawner.all).toHaveLength(2)
  time.advance(RESTART_DELAY_MS)
  expect(incarnations()).toEqual(['1.1', '0.2'])
  await until(() => again.includes('0.2'))
  // It leads all when the other one dies: this thread's commands go to it.
  await spawner.get(1, 1).terminate()
  await engine.createTopic({ name: 'later', partitions: 2, config: {} })
  expect(leaders().every((leader) => leader === 0)).toBe(true)
  expect(spawner.failures).toEqual([])
})

test('of a millrace: closed while a broker waits, it starts no other', async () => {
  const { clock: time, spawner, cluster } = await openStaged(2)
  await spawner.get(0, 1).terminate()
  await cluster.close()
  time.advance(RESTART_DELAY_MS)
  for (let turns = 0; turns < 10; turns++) await nextTurn()
  expect(spawner.all).toHaveLength(2)
})
