import { describe, expect, test } from 'vitest'
import type { Work } from '../../../src/client/consumer/partition-work.ts'
import { WorkQueue } from '../../../src/client/consumer/work-queue.ts'
import type { ProcessOrder, WorkQueueOptions } from '../../../src/client/consumer/work-queue.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'

interface Item {
  readonly offset: number
  readonly key: string | null
}

const REWOUND = new Error('rewound')
const REVOKED = new Error('revoked')
const RECORD_BYTES = 10

function batchOf(items: readonly Item[], firstOffset: number, nextOffset: number) {
  let at = 0
  return { firstOffset, nextOffset, sizeInBytes: items.length * RECORD_BYTES, take: () => items[at++] }
}

function queueOf(options: Partial<WorkQueueOptions<Item>> = {}) {
  const positions = new Map<number, number>()
  const taken: number[] = []
  const queue = new WorkQueue<Item>({
    concurrency: 4,
    order: 'key',
    maxInFlight: 100,
    maxInFlightBytes: 1_000,
    retry: { attempts: 3, backoffMs: 100, backoffMaxMs: 1_000 },
    partitions: 2,
    random: { uint32: () => 0, below: () => 0, fraction: () => 0.5 },
    keyOf: ({ key }) => key,
    detach: (record) => ({ record, bytes: 1 }),
    onSettled: (partition, position) => positions.set(partition, position),
    onTaken: (partition) => taken.push(partition),
    ...options,
  })
  const add = (partition: number, keys: string, firstOffset = 0): void => {
    const items = [...keys].map((key, at) => ({ offset: firstOffset + at, key: key === '-' ? null : key }))
    queue.addBatch(partition, batchOf(items, firstOffset, firstOffset + items.length), () => REWOUND)
  }
  /** All that may run now. */
  const start = (): Work<Item>[] => {
    const started: Work<Item>[] = []
    for (;;) {
      const work = queue.next()
      if (work === undefined) return started
      started.push(work)
    }
  }
  return { queue, positions, taken, add, start }
}

const offsetsOf = (works: readonly Work<Item>[]): number[] => works.map(({ offset }) => offset)

describe('order', () => {
  test('by key: one record of a key at a time, others beside it, records without a key in none', () => {
    const { queue, add, start } = queueOf()
    add(0, 'aab-a-')
    const works = start()
    expect(offsetsOf(works)).toEqual([0, 2, 3, 5])
    queue.settle(works[1]!)
    expect(start()).toEqual([])
    queue.settle(works[0]!)
    const [second] = start()
    expect(second!.offset).toBe(1)
    queue.settle(second!)
    expect(offsetsOf(start())).toEqual([4])
  })

  test('by partition: one record of a partition at a time', () => {
    const { queue, add, start, positions } = queueOf({ order: 'partition' })
    add(0, 'abc')
    add(1, 'abc')
    const works = start()
    expect(works.map(({ partition, offset }) => [partition.partition, offset])).toEqual([
      [0, 0],
      [1, 0],
    ])
    queue.settle(works[1]!)
    const [next, ...others] = start()
    expect(others).toEqual([])
    expect([next!.partition.partition, next!.offset]).toEqual([1, 1])
    expect([...positions]).toEqual([[1, 1]])
  })

  test('none: as many as may run', () => {
    const { queue, add, start } = queueOf({ order: 'none' })
    add(0, 'aaaaaa')
    const works = start()
    expect(offsetsOf(works)).toEqual([0, 1, 2, 3])
    queue.settle(works[2]!)
    expect(offsetsOf(start())).toEqual([4])
  })
})

describe('a retry', () => {
  test('holds up its key only, and waits longer each time', () => {
    const { queue, add, start, positions } = queueOf()
    add(0, 'aabb')
    const [a, b] = start()
    expect(queue.fail(a!, true, 1_000)).toEqual({ kind: 'retry', delayMs: 100 })
    expect(queue.running).toBe(1)
    queue.settle(b!)
    const [b2] = start()
    expect(b2!.offset).toBe(3)
    queue.settle(b2!)
    expect(start()).toEqual([])
    expect(positions.size).toBe(0)
    expect(queue.dueMs).toBe(1_100)
    queue.fire(1_099)
    expect(start()).toEqual([])
    queue.fire(1_100)
    expect(start()).toEqual([a])
    expect(a!.attempt).toBe(2)
    expect(queue.fail(a!, true, 1_100)).toEqual({ kind: 'retry', delayMs: 200 })
    queue.fire(1_300)
    start()
    expect(queue.fail(a!, true, 1_300)).toEqual({ kind: 'dead' })
    expect(start()).toEqual([])
    queue.settle(a!)
    expect(positions.get(0)).toBe(1)
    const [last] = start()
    queue.settle(last!)
    expect(positions.get(0)).toBe(4)
  })

  test('holds up its partition under order by partition, and nothing under none', () => {
    for (const [order, others] of [
      ['partition', [[1, 1]]],
      [
        'none',
        [
          [0, 1],
          [0, 2],
          [1, 1],
          [1, 2],
        ],
      ],
    ] as const) {
      const { queue, add, start } = queueOf({ order, concurrency: 2 })
      add(0, 'abc')
      add(1, 'abc')
      const [first, other] = start()
      queue.fail(first!, true, 0)
      queue.settle(other!)
      const seen: number[][] = []
      for (let works = start(); works.length > 0 && seen.length < others.length; works = start()) {
        for (const work of works) {
          seen.push([work.partition.partition, work.offset])
          if (order === 'none') queue.settle(work)
        }
      }
      expect(seen.sort()).toEqual(others)
    }
  })

  test('is not had by what cannot be tried again', () => {
    const { queue, add, start } = queueOf()
    add(0, 'a')
    expect(queue.fail(start()[0]!, false, 0)).toEqual({ kind: 'dead' })
  })

  test('has jitter, a fifth more or less, and stays below the longest backoff', () => {
    const random = seededRandom(7)
    const delays = Array.from({ length: 300 }, () => {
      const { queue, add, start } = queueOf({ random, retry: { attempts: 9, backoffMs: 100, backoffMaxMs: 105 } })
      add(0, 'a')
      const failure = queue.fail(start()[0]!, true, 0)
      return failure.kind === 'retry' ? failure.delayMs : -1
    })
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(80)
    expect(Math.min(...delays)).toBeLessThan(82)
    expect(Math.max(...delays)).toBe(105)
  })

  test('keeps no batch in memory, nor does what waits behind it', () => {
    const { queue, add, start } = queueOf({ concurrency: 3 })
    add(0, 'aaba')
    const [a, b] = start()
    expect(queue.bytes).toBe(4 * RECORD_BYTES)
    queue.fail(a!, true, 0)
    queue.settle(b!)
    expect(queue.inFlight).toBe(3)
    expect(queue.bytes).toBe(3)
    queue.fire(queue.dueMs)
    for (let works = start(); works.length > 0; works = start()) for (const work of works) queue.settle(work)
    expect([queue.inFlight, queue.bytes]).toEqual([0, 0])
  })
})

describe('bounds', () => {
  test('no more in flight than maxInFlight, whoever waits for whom', () => {
    const { queue, add, start } = queueOf({ maxInFlight: 10, partitions: 1 })
    add(0, 'a'.repeat(50))
    const [first] = start()
    expect(queue.inFlight).toBe(10)
    expect(queue.wantsBatch).toBe(false)
    queue.settle(first!)
    start()
    expect(queue.inFlight).toBe(10)
  })

  test('a partition that is held up leaves the others room', () => {
    const { queue, add, start } = queueOf({ maxInFlight: 40, partitions: 4 })
    add(0, 'a'.repeat(30))
    add(1, 'b'.repeat(30))
    const works = start()
    for (const work of works) queue.fail(work, true, 0)
    expect(start()).toEqual([])
    expect(queue.inFlight).toBe(30)
    expect(queue.wantsBatch).toBe(true)
    add(2, 'cdefgh')
    expect(start().map(({ partition }) => partition.partition)).toEqual([2, 2, 2, 2])
  })

  test('no more batches than maxInFlightBytes, but one', () => {
    const { queue, add, start } = queueOf({ maxInFlightBytes: 5 * RECORD_BYTES, concurrency: 100 })
    expect(queue.wantsBatch).toBe(true)
    add(0, 'abcdefgh')
    const works = start()
    expect(queue.wantsBatch).toBe(false)
    for (const work of works.slice(1)) queue.settle(work)
    expect(queue.wantsBatch).toBe(false)
    queue.settle(works[0]!)
    expect(queue.wantsBatch).toBe(true)
  })
})

test('offsets without a record do not hold up the position', () => {
  const { queue, start, positions, taken } = queueOf()
  const items = [5, 9].map((offset) => ({ offset, key: null }))
  queue.addBatch(0, batchOf(items, 2, 15), () => REWOUND)
  const works = start()
  queue.settle(works[1]!)
  queue.settle(works[0]!)
  expect([taken, positions.get(0)]).toEqual([[0], 15])
})

describe('a partition that goes', () => {
  test('is forgotten, signals of what runs fire, and the others go on', () => {
    const { queue, add, start, positions } = queueOf()
    add(0, 'aab')
    add(1, 'xx')
    const works = start()
    const { signal } = works.find(({ partition }) => partition.partition === 0)!
    const other = works.find(({ partition }) => partition.partition === 1)!
    expect([signal.aborted, other.signal.aborted]).toEqual([false, false])
    queue.drop(0, REVOKED)
    expect([signal.aborted, signal.reason, other.signal.aborted]).toEqual([true, REVOKED, false])
    for (const work of works) {
      if (work === other) continue
      expect(queue.fail(work, true, 0)).toEqual({ kind: 'dropped' })
      expect(work.signal.aborted).toBe(true)
    }
    queue.settle(other)
    const [last] = start()
    queue.settle(last!)
    expect([...positions]).toEqual([[1, 2]])
    expect([queue.running, queue.inFlight, queue.bytes]).toEqual([0, 0, 0])
  })

  test('and comes back begins anew, whatever still runs of before', () => {
    const { queue, add, start, positions } = queueOf({ order: 'partition' })
    add(0, 'ab')
    const [before] = start()
    queue.drop(0, REVOKED)
    add(0, 'ab')
    const [again] = start()
    expect(again!.offset).toBe(0)
    queue.settle(before!)
    expect(positions.size).toBe(0)
    queue.settle(again!)
    expect(positions.get(0)).toBe(1)
  })

  test('back to an offset before begins anew there', () => {
    const { add, start } = queueOf({ order: 'partition' })
    add(0, 'abcd')
    const [before] = start()
    const { signal } = before!
    add(0, 'bcd', 1)
    expect(signal.reason).toBe(REWOUND)
    expect(offsetsOf(start())).toEqual([1])
  })

  test('takes its retries with it', () => {
    const { queue, add, start } = queueOf()
    add(0, 'a')
    queue.fail(start()[0]!, true, 0)
    queue.drop(0, REVOKED)
    expect(queue.dueMs).toBe(Number.POSITIVE_INFINITY)
  })
})

test('stopped, nothing starts, and what runs is settled', () => {
  const { queue, add, start, positions } = queueOf({ concurrency: 2 })
  add(0, 'abcd')
  const [a, b] = start()
  queue.stop()
  queue.settle(a!)
  expect(start()).toEqual([])
  expect(queue.fail(b!, true, 0)).toEqual({ kind: 'dropped' })
  expect(positions.get(0)).toBe(1)
})

test('a mark is reached when all up to it is settled', () => {
  const { queue, add, start } = queueOf()
  add(0, 'ab')
  add(1, 'c')
  const mark = queue.mark()
  const works = start()
  add(0, 'dd', 2)
  for (const work of works.slice(0, 2)) queue.settle(work)
  expect(queue.isSettled(mark)).toBe(false)
  queue.settle(works[2]!)
  start()
  expect(queue.isSettled(mark)).toBe(true)
})

/** Many partitions, keys, failures and revocations as chance has it, against what must hold at each step. */
class Run {
  readonly #random: Random
  readonly #order: ProcessOrder
  readonly #queue: WorkQueue<Item>
  readonly #running = new Set<Work<Item>>()
  readonly #dead = new Set<Work<Item>>()
  /** Of each partition: which offsets were settled, where it begins, the offsets of its records, and what of it is in flight by key. */
  #partitions = new Map<
    number,
    { begin: number; end: number; records: Map<number, string | null>; settled: Set<number>; position: number }
  >()
  readonly #concurrency: number
  readonly #maxInFlight: number
  #nowMs = 0
  counts = { settled: 0, retries: 0, dead: 0, drops: 0 }

  constructor(random: Random, order: ProcessOrder) {
    this.#random = random
    this.#order = order
    this.#concurrency = 1 + random.below(8)
    this.#maxInFlight = 1 + random.below(40)
    this.#queue = new WorkQueue<Item>({
      concurrency: this.#concurrency,
      order,
      maxInFlight: this.#maxInFlight,
      maxInFlightBytes: 1 + random.below(400),
      retry: { attempts: 1 + random.below(4), backoffMs: random.below(20), backoffMaxMs: 50 },
      partitions: 1 + random.below(5),
      random,
      keyOf: ({ key }) => key,
      detach: (record) => ({ record: { ...record }, bytes: 3 }),
      onSettled: (partition, position) => this.#onSettled(partition, position),
      onTaken: () => undefined,
    })
  }

  step(): void {
    if (this.#queue.wantsBatch && this.#random.below(3) > 0) this.#add()
    this.#start()
    const [first] = this.#dead
    if (first !== undefined && this.#random.below(2) === 0) this.#settle(first, this.#dead)
    const running = [...this.#running]
    const work = running[this.#random.below(Math.max(1, running.length))]
    if (work !== undefined) {
      if (this.#random.below(4) > 0) this.#settle(work, this.#running)
      else this.#fail(work)
    }
    if (this.#random.below(60) === 0 && this.#partitions.size > 0) this.#drop()
    this.#nowMs += this.#random.below(5)
    this.#queue.fire(this.#nowMs)
    this.#check()
  }

  /** Nothing fails any more: all that was given is settled. */
  end(): void {
    for (;;) {
      this.#start()
      if (this.#queue.inFlight === 0 && [...this.#queue.openPartitions()].length === 0) break
      expect(this.#running.size + this.#dead.size > 0 || Number.isFinite(this.#queue.dueMs)).toBe(true)
      for (const work of this.#running) this.#settle(work, this.#running)
      for (const work of this.#dead) this.#settle(work, this.#dead)
      this.#nowMs += 10
      this.#queue.fire(this.#nowMs)
      this.#check()
    }
    for (const { records, settled, position, end } of this.#partitions.values()) {
      expect(settled.size).toBe(records.size)
      expect(position).toBe(end)
    }
    expect([this.#queue.running, this.#queue.bytes]).toEqual([0, 0])
  }

  #add(): void {
    const partition = this.#random.below(5)
    if ([...this.#queue.openPartitions()].includes(partition)) return
    const begin = this.#partitions.get(partition)?.end ?? this.#random.below(1_000)
    const model = this.#partitions.get(partition) ?? { begin, end: begin, records: new Map(), settled: new Set(), position: begin }
    const items: Item[] = []
    const end = model.end + 1 + this.#random.below(20)
    for (let offset = model.end; offset < end; offset++) {
      if (this.#random.below(4) === 0) continue
      const key = this.#random.below(5) === 0 ? null : `key${this.#random.below(6)}`
      items.push({ offset, key })
      model.records.set(offset, key)
    }
    this.#queue.addBatch(partition, batchOf(items, model.end, end), () => REWOUND)
    model.end = end
    this.#partitions.set(partition, model)
  }

  #start(): void {
    for (let work = this.#queue.next(); work !== undefined; work = this.#queue.next()) {
      const model = this.#partitions.get(work.partition.partition)!
      // Nothing that must be settled before it is unsettled.
      for (const [offset, key] of model.records) {
        if (offset >= work.offset || model.settled.has(offset)) continue
        const isBefore = this.#order === 'partition' || (this.#order === 'key' && work.key !== null && key === work.key)
        expect(isBefore).toBe(false)
      }
      expect(this.#running.has(work)).toBe(false)
      expect(work.record.offset).toBe(work.offset)
      this.#running.add(work)
    }
  }

  #settle(work: Work<Item>, from: Set<Work<Item>>): void {
    from.delete(work)
    const model = work.partition.dropped === undefined ? this.#partitions.get(work.partition.partition)! : undefined
    expect(model?.settled.has(work.offset) ?? false).toBe(false)
    model?.settled.add(work.offset)
    this.counts.settled++
    this.#queue.settle(work)
  }

  #fail(work: Work<Item>): void {
    this.#running.delete(work)
    const failure = this.#queue.fail(work, this.#random.below(8) > 0, this.#nowMs)
    expect(failure.kind === 'dropped').toBe(work.partition.dropped !== undefined)
    if (failure.kind === 'dead') this.#dead.add(work)
    this.counts.retries += failure.kind === 'retry' ? 1 : 0
    this.counts.dead += failure.kind === 'dead' ? 1 : 0
  }

  #drop(): void {
    const all = [...this.#partitions.keys()]
    const partition = all[this.#random.below(all.length)]!
    this.#queue.drop(partition, REVOKED)
    this.#partitions.delete(partition)
    this.counts.drops++
  }

  #onSettled(partition: number, position: number): void {
    const model = this.#partitions.get(partition)!
    expect(position).toBeGreaterThan(model.position)
    for (const offset of model.records.keys()) if (offset < position) expect(model.settled.has(offset)).toBe(true)
    model.position = position
  }

  #check(): void {
    expect(this.#queue.running).toBe(this.#running.size)
    expect(this.#running.size).toBeLessThanOrEqual(this.#concurrency)
    expect(this.#queue.inFlight).toBeLessThanOrEqual(this.#maxInFlight)
  }
}

describe('against what must hold', () => {
  const seeds = Array.from({ length: 12 }, (_, seed) => seed)
  test.each((['partition', 'key', 'none'] as const).flatMap((order) => seeds.map((seed) => [order, seed] as const)))(
    'order %s, seed %i',
    (order, seed) => {
      const run = new Run(seededRandom(seed), order)
      for (let step = 0; step < 600; step++) run.step()
      run.end()
      expect(Math.min(run.counts.settled, run.counts.drops)).toBeGreaterThan(0)
    },
  )
})
