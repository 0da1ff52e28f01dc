import { describe, expect, test } from 'vitest'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { CrashKind } from './crash-states.ts'
import { SimulatedStop } from './disk-faults.ts'
import type { DiskFault } from './disk-faults.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { MISTAKES, recoverTinyLog, TinyLog } from './tiny-log.ts'
import type { Mistake } from './tiny-log.ts'

const SEED = 20_261_130
const RECORD_BYTES = 700
const DIRECTORY = '/data/tiny-0'

interface Tally {
  states: number
  kinds: Set<CrashKind>
  bitten: number
  losses: string[]
}

interface Run {
  readonly disk: SimulatedDisk
  readonly log: TinyLog | undefined
  readonly ended: boolean
}

/** Appends and checkpoints until the plan ends it. */
function run(mistake: Mistake | undefined, ...faults: DiskFault[]): Run {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  disk.syncDirectory('/')
  disk.plan(faults)
  let log: TinyLog | undefined
  try {
    log = new TinyLog(disk, DIRECTORY, { recordBytes: RECORD_BYTES, recordsAFile: 4, mistake })
    for (let i = 0; i < 10; i++) {
      log.append()
      if (i % 3 === 2) log.checkpoint()
    }
  } catch (error) {
    if (error instanceof SimulatedStop || error instanceof DiskError) return { disk, log, ended: true }
    throw error
  }
  return { disk, log, ended: false }
}

function look(log: TinyLog | undefined, disk: SimulatedDisk, how: string, tally: Tally): void {
  tally.states++
  const { acked, ackedCheckpoint } = log ?? { acked: 0, ackedCheckpoint: 0 }
  try {
    const { records, checkpoint } = recoverTinyLog(disk, DIRECTORY, RECORD_BYTES)
    if (records < acked) tally.losses.push(`${how}: ${acked} acked, ${records} there`)
    if (checkpoint < ackedCheckpoint) tally.losses.push(`${how}: checkpoint ${ackedCheckpoint} acked, ${checkpoint} there`)
  } catch (error) {
    tally.losses.push(`${how}: ${String(error)}`)
  }
}

/** Ends the process after each of its calls, and once for each sync after that has failed; then cuts the power. */
function powerCuts(mistake: Mistake | undefined): Tally {
  const tally: Tally = { states: 0, kinds: new Set(), bitten: 0, losses: [] }
  const cut = ({ disk, log }: Run, how: string): void => {
    tally.bitten += disk.faultsBitten
    for (const state of disk.crashStates(SEED, { drawn: 12 })) {
      tally.kinds.add(state.kind)
      look(log, state.disk, `${how}, ${state.description}`, tally)
    }
  }
  for (let at = 1; ; at++) {
    const one = run(mistake, { kind: 'stop', at })
    cut(one, `after call ${at}`)
    if (!one.ended) break
  }
  for (let at = 1; ; at++) {
    const one = run(mistake, { kind: 'EIO', at, calls: ['sync'] })
    cut(one, `sync ${at} failed`)
    if (one.disk.faultsBitten === 0) break
  }
  return tally
}

/** Ends the process after each of its calls; the last write is cut at every 50th byte. */
function kills(mistake: Mistake | undefined): Tally {
  const tally: Tally = { states: 0, kinds: new Set(), bitten: 0, losses: [] }
  for (let at = 1; ; at++) {
    const { disk, log, ended } = run(mistake, { kind: 'stop', at })
    tally.bitten += disk.faultsBitten
    for (let kept = disk.cutWriteBytes; kept >= 0; kept -= 50) look(log, disk.killState(kept), `after call ${at}, ${kept} kept`, tally)
    if (!ended) return tally
  }
}

describe('power cuts', () => {
  test('the right log loses nothing that it acked, whatever a power cut leaves', () => {
    const tally = powerCuts(undefined)
    expect(tally.losses.slice(0, 5)).toEqual([])
    expect(tally.bitten).toBeGreaterThan(40)
    expect(tally.states).toBeGreaterThan(1_000)
    expect([...tally.kinds].sort()).toEqual(['data-only', 'drawn', 'names-only', 'one-missing', 'prefix', 'size-without-data', 'torn'])
  })

  test.each(MISTAKES)('the mistake is found: %s', (mistake) => {
    const { losses, states } = powerCuts(mistake)
    expect(losses.length, `in ${states} states`).toBeGreaterThan(0)
  })
})

describe('kills', () => {
  test.each<Mistake | undefined>([undefined, 'no-sync', 'no-directory-sync-after-create', 'no-directory-sync-after-rename'])(
    'a log that writes before it acks loses nothing: %s',
    (mistake) => {
      const { losses, states, bitten } = kills(mistake)
      expect(losses.slice(0, 5)).toEqual([])
      expect(states).toBeGreaterThan(100)
      expect(bitten).toBeGreaterThan(25)
    },
  )

  test('a log that acks before it writes is found', () => {
    expect(kills('ack-before-write').losses.length).toBeGreaterThan(0)
  })
})

test('a state of a log of 64 KiB is made and opened in well under a millisecond', () => {
  const disk = new SimulatedDisk()
  const log = new TinyLog(disk, '/log', { recordBytes: 1_012, recordsAFile: 1_000, mistake: 'no-sync' })
  for (let i = 0; i < 64; i++) log.append()
  const times: number[] = []
  let records = 0
  let before = performance.now()
  for (const state of disk.crashStates(SEED, { drawn: 400 })) {
    records += recoverTinyLog(state.disk, '/log', 1_012).records
    const after = performance.now()
    times.push(after - before)
    before = after
  }
  times.sort((a, b) => a - b)
  expect(times.length).toBeGreaterThan(500)
  expect(records).toBeGreaterThan(1_000)
  expect(times[times.length >> 1]).toBeLessThan(1)
})
