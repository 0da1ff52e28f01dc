// Has a group read from another place (Kafka: kafka-consumer-groups --reset-offsets): the
// plan says from where to where, and may be all that is wanted. Runs on the user's thread.
// Holds: a planned offset is one that can be read, or the end of the partition.

import { show } from '../../config-def.ts'
import type { PartitionRow } from '../../engine/partition-calls.ts'
import { MillraceError } from '../../errors.ts'
import type { GroupEngine } from './group-engine.ts'
import { isOffset, listGroupOffsets, wrongOffset } from './group-offsets.ts'

/**
 * Where a group is to read from: the first record that there is, the end, the first record at or after a time in milliseconds
 * since the epoch, an offset, or so many records later or, below 0, earlier than it has committed.
 */
export type OffsetResetTarget =
  | 'earliest'
  | 'latest'
  | { readonly timestamp: number }
  | { readonly offset: number }
  | { readonly shiftBy: number }

/** Of one partition, from where to where. */
export interface PlannedOffset {
  readonly topic: string
  readonly partition: number
  /** Null: nothing was committed. */
  readonly previousOffset: number | null
  readonly offset: number
}

/** Throws INVALID_REQUEST, INVALID_TIMESTAMP, OFFSET_OUT_OF_RANGE. */
export function checkTarget(to: unknown): OffsetResetTarget {
  if (to === 'earliest' || to === 'latest') return to
  const names = typeof to === 'object' && to !== null ? Object.keys(to) : []
  const { timestamp, offset, shiftBy } = (names.length === 1 ? to : {}) as Record<string, unknown>
  if (timestamp !== undefined) {
    if (isOffset(timestamp)) return { timestamp }
    throw new MillraceError('INVALID_TIMESTAMP', `a time is a whole number of ms since the epoch from 0 on, not ${show(timestamp)}`)
  }
  if (offset !== undefined) {
    if (isOffset(offset)) return { offset }
    throw wrongOffset(offset)
  }
  if (typeof shiftBy === 'number' && Number.isSafeInteger(shiftBy)) return { shiftBy }
  const words = "'earliest', 'latest', { timestamp }, { offset } or { shiftBy }"
  throw new MillraceError('INVALID_REQUEST', `offsets are reset to ${words}; ${show(to)} was given`)
}

/** In the order of the rows. Rejects with INVALID_REQUEST where there is no offset to shift. */
export async function planReset(
  engine: GroupEngine,
  groupId: string,
  rows: readonly PartitionRow[],
  to: OffsetResetTarget,
  signal: AbortSignal | undefined,
): Promise<PlannedOffset[]> {
  const committed = new Map(
    (await listGroupOffsets(engine, groupId, signal)).map(({ topic, partition, offset }) => [key(topic, partition), offset]),
  )
  const find = async (spec: 'earliest' | 'latest' | { timestampMs: number }): Promise<(number | undefined)[]> => {
    const found = await engine.listOffsets(
      rows.map((row) => ({ ...row, spec })),
      'highWatermark',
      signal,
    )
    return found.map((each) => each?.offset)
  }
  const [first, end] = await Promise.all([find('earliest'), find('latest')])
  const byTime = typeof to === 'object' && 'timestamp' in to ? await find({ timestampMs: to.timestamp }) : []
  return rows.map(({ topic, partition }, i) => {
    const previousOffset = committed.get(key(topic, partition)) ?? null
    const [start, last] = [first[i]!, end[i]!]
    const wanted = wantedOffset(to, { start, end: last, byTime: byTime[i], previousOffset, groupId, name: `${topic}-${partition}` })
    return { topic, partition, previousOffset, offset: Math.min(Math.max(wanted, start), last) }
  })
}

interface Known {
  readonly start: number
  readonly end: number
  readonly byTime: number | undefined
  readonly previousOffset: number | null
  readonly groupId: string
  readonly name: string
}

function wantedOffset(to: OffsetResetTarget, { start, end, byTime, previousOffset, groupId, name }: Known): number {
  if (to === 'earliest') return start
  if (to === 'latest') return end
  if ('timestamp' in to) return byTime ?? end
  if ('offset' in to) return to.offset
  if (previousOffset !== null) return previousOffset + to.shiftBy
  throw new MillraceError('INVALID_REQUEST', `group ${show(groupId)} has committed nothing of ${name} that could be shifted`)
}

function key(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
