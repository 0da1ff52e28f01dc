// What befalls a file of a data directory: the kinds of damage, and where each may strike.

import type { Disk } from '../../src/disk/disk.ts'
import type { Random } from '../../src/random.ts'

export const LOG_DAMAGES = ['bit flip', 'zeroed page', 'truncation', 'stale chunk', 'appended garbage'] as const
export const DAMAGES = [...LOG_DAMAGES, 'emptied', 'missing', 'garbled'] as const
export type DamageKind = (typeof DAMAGES)[number]

/** What a file is to those who open it. */
export type Target =
  | 'closed segment'
  | 'active segment'
  | 'metadata'
  | 'index'
  | 'timeindex'
  | 'snapshot'
  | 'leader epochs'
  | 'topic id'
  | 'offset checkpoint'
  | 'durable ends'
  | 'resume points'
  | 'clean mark'
  | 'boot file'
  | 'meta.properties'

export interface FileDamage {
  readonly kind: DamageKind
  readonly target: Target
  readonly path: string
  readonly description: string
}

const DISK_PAGES = [512, 4096]

/** What stale chunks are taken of. */
export interface StaleBytes {
  /** Of the same file, before and now. */
  readonly older: readonly Uint8Array[]
  readonly others: readonly Uint8Array[]
}

/** Damages a file of the disk; undefined where that left it as it was. */
export function damageFile(
  disk: Disk,
  { path, target, kind }: Omit<FileDamage, 'description'>,
  bytes: Uint8Array,
  stale: StaleBytes,
  random: Random,
): FileDamage | undefined {
  const { after, how } = damagedBytes(bytes, kind, stale, random)
  if (after !== undefined && Buffer.compare(after, bytes) === 0) return undefined
  if (after === undefined) disk.remove(path)
  else overwrite(disk, path, after)
  return { kind, target, path, description: `${kind} in ${path} of ${bytes.length} bytes, ${how}` }
}

function damagedBytes(
  bytes: Uint8Array,
  kind: DamageKind,
  { older, others }: StaleBytes,
  random: Random,
): { after: Uint8Array | undefined; how: string } {
  const size = bytes.length
  if (kind === 'missing') return { after: undefined, how: 'removed' }
  if (kind === 'emptied') return { after: new Uint8Array(0), how: 'emptied' }
  if (kind === 'garbled') return { after: garbage(Math.max(1, size), random), how: 'all of it' }
  if (kind === 'truncation') {
    const to = size === 0 ? 0 : random.below(size)
    return { after: bytes.slice(0, to), how: `to ${to} bytes` }
  }
  if (kind === 'appended garbage') {
    // As a write that went astray, or space that was allocated and not cut.
    const more = random.below(3) === 0 ? new Uint8Array(1 + random.below(5_000)) : garbage(1 + random.below(3_000), random)
    return { after: Buffer.concat([bytes, more]), how: `${more.length} bytes from ${size} on, ${more.every((byte) => byte === 0)}` }
  }
  const after = bytes.slice()
  if (size === 0) return { after, how: 'nothing' }
  if (kind === 'bit flip') {
    const at = random.below(size)
    const bit = random.below(8)
    after[at]! ^= 1 << bit
    return { after, how: `bit ${bit} of byte ${at}` }
  }
  const page = DISK_PAGES[random.below(2)]!
  const at = page * random.below(Math.ceil(size / page))
  const end = Math.min(size, at + page)
  if (kind === 'zeroed page') {
    after.fill(0, at, end)
    return { after, how: `bytes ${at} to ${end}` }
  }
  const isOther = others.length > 0 && random.below(2) === 0
  const other = isOther ? others[random.below(others.length)]! : older[random.below(older.length)]!
  let from = page * random.below(Math.max(1, Math.ceil(other.length / page)))
  // A batch has nothing that says whose it is: one of another log in the very place, of the same offsets, is one of this.
  if (isOther && from === at) from += page
  const chunk = other.subarray(from, from + end - at)
  after.set(chunk, at)
  return { after, how: `${chunk.length} bytes from ${from} of another at ${at}` }
}

function garbage(count: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(256))
}

function overwrite(disk: Disk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, 'write')
  try {
    file.truncate(bytes.length)
    file.write(bytes, 0, bytes.length, 0)
  } finally {
    file.close()
  }
}
