// The states that a power cut may leave: what was synced, and any of what was not.
//
// Systematic ones, each named: every prefix of what was not synced; each operation missing alone; sizes
// without data; names without data, and data without names; the last write torn at every sector, with its
// old and with its new size. And drawn ones: any subset of names, sizes, pages and sectors.

import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { ALL_SECTORS, SECTOR_BYTES, SECTORS_A_PAGE, zeroBehindEnd } from './disk-image.ts'
import type { DiskImage } from './disk-image.ts'
import { applyOp, ARRIVED_WHOLE, isEntryOp } from './unsynced-journal.ts'
import type { Arrived, UnsyncedOp, WriteOp } from './unsynced-journal.ts'

export type CrashKind = 'prefix' | 'one-missing' | 'size-without-data' | 'names-only' | 'data-only' | 'torn' | 'drawn'

export interface CrashOptions {
  /** How many drawn states; default 32. */
  readonly drawn?: number
  /** At most so many states, drawn from all; default: all. */
  readonly max?: number
  /** `any`: names reach the disk in any order (POSIX, the default). `ordered`: in theirs (a journal of metadata, as ext4 has). */
  readonly names?: 'any' | 'ordered'
}

/** What arrived of the operation at `index`; undefined where nothing did. */
type Choice = (op: UnsyncedOp, index: number) => Arrived | undefined

export interface CrashPlan {
  readonly kind: CrashKind
  readonly description: string
  readonly choice: Choice
}

const SIZE_ONLY: Arrived = { sizeMax: Number.POSITIVE_INFINITY, sectorsOf: () => 0 }

export function crashPlans(ops: readonly UnsyncedOp[], random: Random, options: CrashOptions = {}): CrashPlan[] {
  const plans = [...systematicPlans(ops), ...drawnPlans(random, options.drawn ?? 32)]
  const max = options.max ?? plans.length
  for (let i = 0; i < plans.length && plans.length > max; i++) {
    const other = i + random.below(plans.length - i)
    ;[plans[i], plans[other]] = [plans[other]!, plans[i]!]
    if (i + 1 === max) plans.length = max
  }
  return plans
}

function* systematicPlans(ops: readonly UnsyncedOp[]): Generator<CrashPlan> {
  const whole = (op: UnsyncedOp): Arrived | undefined => (op.lost ? undefined : ARRIVED_WHOLE)
  for (let count = 0; count <= ops.length; count++) {
    yield { kind: 'prefix', description: `the first ${count} of ${ops.length}`, choice: (op, i) => (i < count ? whole(op) : undefined) }
  }
  if (ops.length === 0) return
  for (const [missing, op] of ops.entries()) {
    if (op.lost) continue
    // Without the last it is a prefix.
    if (missing < ops.length - 1) {
      yield { kind: 'one-missing', description: `all but ${shown(op)}`, choice: (op, i) => (i === missing ? undefined : whole(op)) }
    }
    if (op.kind === 'write') {
      const description = `all, but of ${shown(op)} the size only`
      yield { kind: 'size-without-data', description, choice: (op, i) => (i === missing ? SIZE_ONLY : whole(op)) }
    }
  }
  yield {
    kind: 'size-without-data',
    description: 'all sizes and names, no data',
    choice: (op) => (op.kind === 'write' ? SIZE_ONLY : whole(op)),
  }
  yield { kind: 'names-only', description: 'all names, no data', choice: (op) => (isEntryOp(op) ? whole(op) : undefined) }
  yield { kind: 'data-only', description: 'all data, no names', choice: (op) => (isEntryOp(op) ? undefined : whole(op)) }
  const last = ops.findLastIndex((op) => op.kind === 'write' && !op.lost)
  if (last >= 0) yield* tornPlans(ops[last] as WriteOp, last, whole)
}

function* tornPlans(op: WriteOp, index: number, whole: (op: UnsyncedOp) => Arrived | undefined): Generator<CrashPlan> {
  const end = op.position + op.lengthInBytes
  for (let sector = Math.floor(op.position / SECTOR_BYTES) + 1; sector * SECTOR_BYTES < end; sector++) {
    const cut = sector * SECTOR_BYTES
    for (const sizeMax of [cut, Number.POSITIVE_INFINITY]) {
      const torn: Arrived = { sizeMax, sectorsOf: (page) => (1 << clamp(sector - page * SECTORS_A_PAGE)) - 1 }
      yield {
        kind: 'torn',
        description: `${shown(op)} torn at byte ${cut}, ${sizeMax === cut ? 'its size too' : 'with its whole size'}`,
        choice: (op, i) => (i === index ? torn : whole(op)),
      }
    }
  }
}

function* drawnPlans(random: Random, count: number): Generator<CrashPlan> {
  for (let i = 0; i < count; i++) {
    // Few, half or most: subsets of many operations would else never be nearly whole or nearly empty.
    const chance = [0.1, 0.5, 0.9][i % 3]!
    const own = seededRandom(random.uint32())
    const happens = (): boolean => own.fraction() < chance
    yield {
      kind: 'drawn',
      description: `drawn ${i}, each with ${chance}`,
      choice: (op) => {
        if (op.kind !== 'write') return happens() ? ARRIVED_WHOLE : undefined
        const sizeMax = happens() ? Number.POSITIVE_INFINITY : 0
        return { sizeMax, sectorsOf: () => (own.below(8) === 0 ? own.below(ALL_SECTORS + 1) : happens() ? ALL_SECTORS : 0) }
      },
    }
  }
}

/** What is on the disk after a power cut. */
export function imageAfterCrash(
  durable: DiskImage,
  ops: readonly UnsyncedOp[],
  { choice }: CrashPlan,
  names: 'any' | 'ordered',
): DiskImage {
  const image = durable.fork()
  const written = new Set<number>()
  let nameMissing = false
  for (const [i, op] of ops.entries()) {
    const arrived = choice(op, i)
    if (isEntryOp(op)) {
      nameMissing ||= arrived === undefined
      if (nameMissing && names === 'ordered') continue
    }
    if (arrived === undefined) continue
    applyOp(image, op, arrived)
    if (op.kind === 'write') written.add(op.inode)
  }
  for (const inode of written) zeroBehindEnd(image.mutable(inode))
  return image
}

function clamp(sectors: number): number {
  return Math.max(0, Math.min(SECTORS_A_PAGE, sectors))
}

function shown(op: UnsyncedOp): string {
  switch (op.kind) {
    case 'write':
      return `write ${op.position}+${op.lengthInBytes} of #${op.inode}`
    case 'truncate':
      return `truncate #${op.inode} to ${op.sizeInBytes}`
    case 'link':
      return op.from === undefined ? `make ${op.name} #${op.inode}` : `rename ${op.from.name} to ${op.name} #${op.inode}`
    case 'unlink':
      return `remove ${op.name} #${op.inode}`
    default:
      return op satisfies never
  }
}
