// Whatever a power cut or a kill leaves of a partition, it opens, with all that was promised.

import { describe, expect, test } from 'vitest'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { CrashKind } from '../disk/crash-states.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import { checkRecovered, PartitionWorld } from './partition-world.ts'

/** More find more, at ten seconds each. */
const SEEDS = Array.from({ length: 3 }, (_, i) => 4_000 + i)
const ACTIONS = 30

function tellSeed(what: string, check: () => number): number {
  try {
    return check()
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
  }
}

describe('power cuts', () => {
  test('nothing that was synced is lost, nothing but an end is missing', () => {
    const kinds = new Set<CrashKind>()
    let states = 0
    let cut = 0
    for (const seed of SEEDS) {
      for (let at = 5; ; at += 13) {
        const world = new PartitionWorld(seed, [{ kind: 'stop', at }])
        const thrown = world.run(ACTIONS)
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(SimulatedStop)
        for (const state of world.disk.crashStates(seed + at, { drawn: 8, max: 24 })) {
          states++
          kinds.add(state.kind)
          const what = `seed ${seed}, stopped at call ${at}, ${state.description}`
          const end = tellSeed(what, () => checkRecovered(world, state.disk, { hasRebooted: true, promisedEnd: world.syncedEnd }))
          if (end < world.appendedEnd) cut++
        }
        if (thrown === undefined) break
      }
    }
    expect([...kinds].sort()).toEqual(['data-only', 'drawn', 'names-only', 'one-missing', 'prefix', 'size-without-data', 'torn'])
    expect(states).toBeGreaterThan(300)
    expect(cut).toBeGreaterThan(100)
  }, 120_000)

  test('without a sync something is lost: the check can fail', () => {
    let lost = 0
    for (const seed of SEEDS) {
      const world = new PartitionWorld(seed)
      world.run(ACTIONS)
      for (const state of world.disk.crashStates(seed, { drawn: 8, max: 24 })) {
        try {
          checkRecovered(world, state.disk, { hasRebooted: true, promisedEnd: world.appendedEnd })
        } catch {
          lost++
        }
      }
    }
    expect(lost).toBeGreaterThan(5)
  })
})

describe('kills', () => {
  test('nothing whose append returned is lost', () => {
    let states = 0
    let cutWrites = 0
    let resumed = 0
    for (const seed of SEEDS) {
      for (let at = 1; ; at += 7) {
        const world = new PartitionWorld(seed, [{ kind: 'stop', at }])
        const thrown = world.run(ACTIONS)
        const bytes = world.disk.cutWriteBytes
        if (world.resumePoint !== undefined && world.resumePoint.endOffset <= world.mark) resumed++
        for (const kept of bytes === 0 ? [0] : [0, 1, 60, 61, 75, bytes >> 1, bytes - 1, bytes]) {
          states++
          if (kept > 0 && kept < bytes) cutWrites++
          const what = `seed ${seed}, killed at call ${at}, ${kept} of ${bytes} bytes written`
          tellSeed(what, () => checkRecovered(world, world.disk.killState(kept), { hasRebooted: false, promisedEnd: world.appendedEnd }))
        }
        if (thrown === undefined) break
      }
    }
    expect(states).toBeGreaterThan(100)
    expect(cutWrites).toBeGreaterThan(30)
    expect(resumed).toBeGreaterThan(20)
  }, 120_000)
})

describe('a crash while it recovers', () => {
  test('comes to the same log, and loses nothing', () => {
    let stopped = 0
    for (const seed of SEEDS.slice(0, 1)) {
      const world = new PartitionWorld(seed, [{ kind: 'stop', at: 60 }])
      world.run(ACTIONS)
      for (const { disk } of world.disk.crashStates(seed, { drawn: 6, max: 8 })) {
        for (let at = 1; ; at += 3) {
          const again = disk.killState()
          again.plan([{ kind: 'stop', at }])
          let thrown: unknown
          try {
            checkRecovered(world, again, { hasRebooted: true, promisedEnd: world.syncedEnd })
          } catch (error) {
            thrown = error
          }
          if (!again.stopped) {
            expect(thrown).toBeUndefined()
            break
          }
          stopped++
          for (const after of [again.killState(), ...[...again.crashStates(seed + at, { drawn: 2, max: 3 })].map((state) => state.disk)]) {
            tellSeed(`seed ${seed}, stopped again at call ${at}`, () =>
              // The batch that the check appends may be there.
              checkRecoveredOrMore(world, after),
            )
          }
        }
      }
    }
    expect(stopped).toBeGreaterThan(30)
  }, 120_000)
})

function checkRecoveredOrMore(world: PartitionWorld, disk: Parameters<typeof checkRecovered>[1]): number {
  try {
    return checkRecovered(world, disk, { hasRebooted: true, promisedEnd: world.syncedEnd })
  } catch (error) {
    if ((error as Error).message === 'other bytes than were appended') return -1
    throw error
  }
}

describe('errors of the disk', () => {
  test.each(['EIO', 'ENOSPC'] as const)(
    '%s at each of the first calls: typed, fenced, and no sync that was none',
    (kind) => {
      let bitten = 0
      for (const seed of SEEDS.slice(0, 1)) {
        for (let at = 1; at < 200; at++) {
          const world = new PartitionWorld(seed, [{ kind, at }])
          const thrown = world.run(ACTIONS)
          bitten += world.disk.faultsBitten
          if (thrown === undefined) continue
          expect(thrown).toBeInstanceOf(DiskError)
          const { files } = world
          world.disk.plan([])
          if (files !== undefined) {
            expect(files.syncedEndOffset).toBe(world.syncedEnd)
            expect(() => files.sync()).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }))
            expect(files.close()).toBe(false)
            expect(world.disk.calls.get('sync') ?? 0).toBe(0)
          }
          // After the space is freed it is opened again, and goes on.
          tellSeed(`seed ${seed}, ${kind} at call ${at}`, () =>
            checkRecovered(world, world.disk.killState(), { hasRebooted: false, promisedEnd: world.appendedEnd }),
          )
          for (const state of world.disk.crashStates(seed + at, { drawn: 2, max: 4 })) {
            tellSeed(`seed ${seed}, ${kind} at call ${at}, then ${state.description}`, () =>
              checkRecovered(world, state.disk, { hasRebooted: true, promisedEnd: world.syncedEnd }),
            )
          }
        }
      }
      expect(bitten).toBeGreaterThan(50)
    },
    120_000,
  )
})
