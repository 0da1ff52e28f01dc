import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sum } from '../../../src/rx/windows/aggregators.ts'
import { decodeMarks } from '../../../src/rx/windows/commit-marks.ts'
import type { CommitMarks } from '../../../src/rx/windows/commit-marks.ts'
import type { OpenWindow } from '../../../src/rx/windows/open-windows.ts'
import type { Release } from '../../../src/rx/windows/release-queue.ts'
import type { AnyAggregator } from '../../../src/rx/windows/window-store.ts'
import { WindowedPartition } from '../../../src/rx/windows/windowed-partition.ts'
import type { Windows } from '../../../src/rx/windows/windows.ts'
import { anyRecords, anyWindows } from './any-windows.ts'
import type { Sample } from './recomputation.ts'

// A partition whose reader dies at any point, with any of its results not yet done with, and
// starts again from what it had last committed. No log, no threads.

const SEED = 713
const summing = sum((record: Sample) => record.value) as unknown as AnyAggregator

/** What became of a window or record over all lives. */
interface Told {
  /** Values emitted, by window. */
  readonly values: Map<string, Set<number>>
  /** Windows whose result was done with when something was committed. */
  readonly committed: Set<string>
  readonly late: Set<string>
}

interface Commit {
  readonly position: number
  readonly marks: string
}

class Life {
  readonly #partition: WindowedPartition<string>
  readonly #told: Told
  /** Offsets that are pinned, with how often. */
  readonly #pins = new Map<number, number>()
  readonly #handedOn: { release: Release; windows: string[] }[] = []
  readonly #done: string[] = []
  #position: number

  constructor(windows: Windows, told: Told, { position, marks }: Commit) {
    this.#partition = new WindowedPartition<string>(windows, summing, decodeMarks(marks) as CommitMarks)
    this.#told = told
    this.#position = position
  }

  /** What comes of one record: one, or several, behind each of which so many results are done with. */
  record(offset: number, samples: readonly Sample[], settles = 0): void {
    const partition = this.#partition
    const unpin = this.#pin(offset)
    for (const [at, { key, timeMs, value }] of samples.entries()) {
      partition.begin(offset)
      partition.advanceTo(timeMs)
      if (!partition.add({ key, keyId: key, timeMs, taken: value }, () => this.#pin(offset))) this.#told.late.add(`${offset}.${at}`)
      const closed = partition.close()
      partition.end()
      if (closed !== undefined) this.#handOn(closed.windows, partition.handOn(closed.pins))
      for (let n = 0; n < settles; n++) this.settle(offset + at + n)
    }
    unpin.release()
    this.#position = offset + 1
  }

  flush(): void {
    const closed = this.#partition.closeAll()
    if (closed !== undefined) this.#handOn(closed.windows, this.#partition.handOn(closed.pins))
  }

  /** A result that was handed on is done with: any of them, not the oldest first. */
  settle(which: number): void {
    if (this.#handedOn.length === 0) return
    const [{ release, windows }] = this.#handedOn.splice(which % this.#handedOn.length, 1) as [{ release: Release; windows: string[] }]
    this.#done.push(...windows)
    release.done()
  }

  settleAll(): void {
    while (this.#handedOn.length > 0) this.settle(0)
  }

  commit(): Commit {
    const position = Math.min(this.#position, ...this.#pins.keys())
    const marks = this.#partition.commitText(position)
    // What closes up to there, and was done with, is never told again.
    const { releasedMs } = decodeMarks(marks)!
    for (const window of this.#done) if (Number(window.split('<')[1]) <= releasedMs) this.#told.committed.add(window)
    return { position, marks }
  }

  #handOn(windows: readonly OpenWindow<string, unknown>[], release: Release): void {
    const ids = windows.map(({ key, startMs, endMs, closeMs }) => `${key} ${startMs}-${endMs} <${closeMs}`)
    for (const [at, id] of ids.entries()) {
      expect(this.#told.committed.has(id), `${id} was committed, and comes again`).toBe(false)
      const values = this.#told.values.get(id) ?? new Set()
      this.#told.values.set(id, values.add(windows[at]!.state as number))
    }
    this.#handedOn.push({ release, windows: ids })
  }

  #pin(offset: number): { release(): void } {
    this.#pins.set(offset, (this.#pins.get(offset) ?? 0) + 1)
    return {
      release: () => {
        const left = this.#pins.get(offset)! - 1
        if (left === 0) this.#pins.delete(offset)
        else this.#pins.set(offset, left)
      },
    }
  }
}

const START: Commit = { position: 0, marks: 'w1:AAAAAA==' }

/** How one life goes: so many records, with this now and then, then it ends. */
interface Plan {
  readonly records: number
  readonly settles: readonly number[]
  readonly commitEvery: number
}

function live(windows: Windows, records: readonly (readonly Sample[])[], plans: readonly Plan[]): Told {
  const told: Told = { values: new Map(), committed: new Set(), late: new Set() }
  let commit = START
  for (const plan of plans) {
    const life = new Life(windows, told, commit)
    const end = Math.min(records.length, commit.position + plan.records)
    for (let offset = commit.position; offset < end; offset++) {
      life.record(offset, records[offset]!, plan.settles[offset % plan.settles.length])
      if (offset % plan.commitEvery === 0) commit = life.commit()
    }
  }
  const last = new Life(windows, told, commit)
  for (let offset = commit.position; offset < records.length; offset++) last.record(offset, records[offset]!)
  last.flush()
  last.settleAll()
  return told
}

/** So many of them come of one record, turn about. */
function grouped(samples: readonly Sample[], sizes: readonly number[]): Sample[][] {
  const records: Sample[][] = []
  for (let at = 0; at < samples.length; ) {
    const size = sizes[records.length % sizes.length]!
    records.push(samples.slice(at, at + size))
    at += size
  }
  return records
}

const anyPlan = fc.record({
  records: fc.integer({ min: 1, max: 60 }),
  settles: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
  commitEvery: fc.integer({ min: 1, max: 7 }),
})

test('deaths at any point: each result comes, with one value, and none again that was committed; what was late is late', () => {
  let lives = 0
  fc.assert(
    fc.property(
      anyWindows(fc.integer({ min: 0, max: 12 })),
      anyRecords(20, 80),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
      fc.array(anyPlan, { minLength: 1, maxLength: 6 }),
      (windows, samples, sizes, plans) => {
        const records = grouped(samples, sizes)
        const undisturbed = live(windows, records, [])
        const told = live(windows, records, plans)
        lives += plans.length
        expect(told.values).toEqual(undisturbed.values)
        // A record that was in time only by a session that is done with cannot be told from a late one.
        if (windows.kind === 'session') expect([...told.late]).toEqual(expect.arrayContaining([...undisturbed.late]))
        else expect(told.late).toEqual(undisturbed.late)
      },
    ),
    { seed: SEED, numRuns: 1_500 },
  )
  expect(lives).toBeGreaterThan(1_500)
})

test('a window that is open keeps the commit position at its first record; released, it does not', () => {
  const told: Told = { values: new Map(), committed: new Set(), late: new Set() }
  const life = new Life({ kind: 'time', sizeMs: 10, advanceMs: 10, graceMs: 0 }, told, START)
  life.record(0, [{ key: 'a', timeMs: 1, value: 1 }])
  life.record(1, [{ key: 'a', timeMs: 2, value: 1 }])
  expect(life.commit().position).toBe(0)
  life.record(2, [{ key: 'a', timeMs: 11, value: 1 }])
  expect(life.commit().position).toBe(0)
  life.settle(0)
  expect(life.commit().position).toBe(2)
  expect(decodeMarks(life.commit().marks)).toMatchObject({ streamTimeMs: 2, releasedMs: 11 })
})

test('what comes of one repartitioned record has one origin, and is taken as a whole or not at all', () => {
  const partition = new WindowedPartition<string>({ kind: 'time', sizeMs: 10, advanceMs: 10, graceMs: 0 }, summing)
  const first = { topic: 'clicks', partition: 0, offset: 7, index: 0 }
  const taken = (offset: number): boolean => {
    partition.begin(offset)
    return partition.takeOrigin(first)
  }
  expect([0, 0, 0, 1, 1].map(taken)).toEqual([true, true, true, false, false])
})

test('a record that fails in the middle covers nothing that it would have closed', () => {
  const partition = new WindowedPartition<string>({ kind: 'time', sizeMs: 10, advanceMs: 10, graceMs: 0 }, summing)
  partition.begin(0)
  partition.advanceTo(5)
  partition.add({ key: 'a', keyId: 'a', timeMs: 5, taken: 1 }, () => undefined)
  partition.end()
  partition.begin(1)
  partition.advanceTo(25)
  expect(decodeMarks(partition.commitText(0))).toMatchObject({ streamTimeMs: -1, releasedMs: 5 })
})
