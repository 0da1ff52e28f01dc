// Threads that are terminated in the middle of a broker's work on log memory, at each of
// its kill points and at any instant; then another broker adopts what they left.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { KILL_POINTS } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { allocateLogMemory } from '../../src/log/log-memory.ts'
import { ORDER_MAX } from '../../src/log/log-memory-layout.ts'
import { APPEND_NO_MEMORY } from '../../src/log/partition-log.ts'
import { seededRandom } from '../../src/random.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'
import { readKeyed } from './keyed-batches.ts'
import { COMPACTED, COMPACTED_CONFIG, PARTITIONS } from './log-actions.ts'
import { LogFixture, MIB, memoryFaults } from './log-fixture.ts'
import { IN_WORK, KEYED, WORDS } from './log-thread-words.ts'
import type { LogThreadData } from './log-threads.ts'
import { patternBatch } from './pattern-batches.ts'

const KILLS_TIMEOUT_MS = 60_000
const AT_ONCE = 2
const KILLS_AT_RANDOM = 12

/** Adoption happens in this thread only; log-death.test.ts kills in the middle of it. */
const POINTS = KILL_POINTS.filter((point) => point.startsWith('log.') && point !== 'log.adopt.cut')

const mortalThread = await bundledEntry(new URL('./log-threads.ts', import.meta.url))

/** Starts brokers on a thread, ends it where it stands, and lets another broker adopt. */
async function killOnce(seed: number, point: KillPoint | undefined): Promise<void> {
  const random = seededRandom(seed)
  const buffers = allocateLogMemory({ logMemoryBytes: 16 * MIB, partitionsMax: 64 })
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4))
  const passing = point?.startsWith('log.append') === true ? 1 + random.below(200) : 1 + random.below(3)
  const workerData: LogThreadData = { role: 'mortal', buffers, control: words.buffer, seed, point, passing }
  const worker = new Worker(mortalThread, { workerData })
  if (point === undefined) {
    const steps = 20 + random.below(3_000)
    while (Atomics.load(words, IN_WORK) < steps) await new Promise((resolve) => setImmediate(resolve))
  } else {
    await once(worker, 'message')
  }
  await worker.terminate()
  expectAdoptable(new LogFixture({ buffers, brokers: 0 }), words)
}

function expectAdoptable(fixture: LogFixture, words: Int32Array): void {
  const { memory } = fixture
  const adopter = fixture.startBroker(7)
  // The three brokers of the thread had the epochs 1 to 3.
  for (const [id, epoch] of [
    [0, 1],
    [1, 2],
    [2, 3],
  ] as const) {
    adopter.allocator.adopt(id, epoch, () => true)
  }
  let seen = 0
  for (let slot = 0; slot < PARTITIONS; slot++) {
    const control = fixture.partition(slot)
    const published = control.logEndOffset
    const log = adopter.lead(slot, 1_000)
    expect(log.endOffset).toBe(published)
    log.advance()
    const batches = fixture.read(slot)
    seen += batches.length
    // The first may begin below the start, if records were deleted up to its middle.
    let next = batches[0]?.baseOffset ?? published
    if (batches.length > 0) expect(batches[0]!.nextOffset).toBeGreaterThan(log.startOffset)
    expect(next).toBeLessThanOrEqual(log.startOffset)
    let number = -1
    for (const batch of batches) {
      expect(batch.baseOffset).toBe(next)
      expect(batch.number).toBeGreaterThan(number)
      number = batch.number
      next = batch.nextOffset
    }
    expect(next).toBe(published)
  }
  expectLastValues(fixture, words)
  expect(memoryFaults(memory)).toEqual([])
  fixture.turns(4)
  expectUsable(fixture, seen)
}

/** Of the compacted partition: the last record of each key, or one that came later than its leader had time to say. */
function expectLastValues(fixture: LogFixture, words: Int32Array): void {
  const [adopter] = fixture.brokers.filter((broker) => broker !== undefined)
  const log = adopter!.lead(COMPACTED, 1_000, COMPACTED_CONFIG)
  log.advance()
  const found = new Map<string, number>()
  let next = 0
  for (const { baseOffset, nextOffset, records } of readKeyed(fixture.memory, COMPACTED)) {
    expect(baseOffset).toBeGreaterThanOrEqual(next)
    next = nextOffset
    for (const { key, offset } of records) found.set(key!, offset)
  }
  expect(next).toBeLessThanOrEqual(log.endOffset)
  for (let key = 0; key < WORDS - KEYED; key++) {
    const word = words[KEYED + key]!
    const isTombstone = (word & 1) === 1
    if (word > 0 && !(isTombstone && !found.has(`key ${key}`))) {
      expect(found.get(`key ${key}`), `the last record of key ${key}`).toBeGreaterThanOrEqual((word >> 1) - 1)
    }
  }
}

function expectUsable(fixture: LogFixture, seen: number): void {
  const [adopter] = fixture.brokers.filter((broker) => broker !== undefined)
  for (const log of adopter!.logs.values()) {
    const end = log.endOffset
    // The arena may have been full to the last granule: then retention must first make room.
    const batch = patternBatch({ number: 1_000_000 + seen, records: 2, sizeInBytes: 5_000 })
    let baseOffset = log.append(batch, 0, 5_000)
    for (let i = 0; i < 20 && baseOffset === APPEND_NO_MEMORY; i++) {
      fixture.turns(1)
      baseOffset = log.append(batch, 0, 5_000)
    }
    expect(baseOffset).toBe(end)
    log.advance()
    expect(log.highWatermark).toBe(end + 2)
    log.delete()
  }
  // All of the arena can be had, in whole blocks.
  let blocks = 0
  for (let i = 0; i < 20; i++) {
    if (adopter!.allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0) >= 0) blocks++
    adopter!.turn()
    fixture.clock.advance(1)
  }
  expect(blocks).toBe(fixture.memory.blockCount)
}

async function eachOf(count: number, kill: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < count) await kill(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

test(
  'at each kill point of the log: what was published is whole, offsets go on, all memory is found again',
  async () => {
    const hit = new Set<KillPoint>()
    await eachOf(POINTS.length * 2, async (i) => {
      const point = POINTS[i % POINTS.length]!
      await killOnce(100 + i, point)
      hit.add(point)
    })
    expect([...hit].sort()).toEqual([...POINTS].sort())
  },
  KILLS_TIMEOUT_MS,
)

test('at any instant', async () => eachOf(KILLS_AT_RANDOM, (i) => killOnce(10_000 + i, undefined)), KILLS_TIMEOUT_MS)
