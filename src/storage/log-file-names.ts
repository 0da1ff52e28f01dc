// The names of files in a partition directory, and what a listing of one holds.
// Pure; any thread.
//
//   00000000000000004059.log         20 digits of the base offset, and what the file is:
//                       .log  .index  .timeindex  .txnindex     a segment
//                       .snapshot                                producer state at that offset
//   00000000000000004059.log.deleted   and what is happening to it:
//                           .deleted   replaced or too old; to be deleted once no reader has it open
//                           .cleaned   being written by compaction; worthless
//                           .swap      whole, and about to take the place of segments
//
// Only `.swap` is worth something after a crash: see LogDirectoryListing.

import { assert } from '../assert.ts'
import { damagedFile } from './file-errors.ts'

export const SEGMENT_FILE_KINDS = ['log', 'index', 'timeindex', 'txnindex', 'snapshot'] as const
export const LEFTOVER_STATES = ['deleted', 'cleaned', 'swap'] as const

/** What a file of a log holds, by the end of its name. */
export type SegmentFileKind = (typeof SEGMENT_FILE_KINDS)[number]
/** What is happening to a file that is not, or no more, one of the log's. */
export type LeftoverState = (typeof LEFTOVER_STATES)[number]

const OFFSET_DIGITS = 20
const FILE_NAME = new RegExp(`^(\\d{${OFFSET_DIGITS}})\\.(${SEGMENT_FILE_KINDS.join('|')})(?:\\.(${LEFTOVER_STATES.join('|')}))?$`)
const REMEDY = 'Move it out of the directory: offsets end at 2^53 - 1 here.'

/** A name, taken apart. */
export interface LogFileName {
  readonly baseOffset: number
  readonly kind: SegmentFileKind
  /** Undefined for a file of the log. */
  readonly state: LeftoverState | undefined
}

/** A segment that has its .log, and which other files it has. */
export interface SegmentFiles {
  readonly baseOffset: number
  readonly hasOffsetIndex: boolean
  readonly hasTimeIndex: boolean
  readonly hasTransactionIndex: boolean
}

export interface LeftoverFile extends LogFileName {
  readonly name: string
  readonly state: LeftoverState
}

/**
 * What a partition directory holds. Leftovers come first: delete those that are `deleted`
 * or `cleaned`, bring to an end what `swap` began, and list the directory again.
 */
export interface LogDirectoryListing {
  /** By base offset, rising. */
  readonly segments: readonly SegmentFiles[]
  /** Offsets of producer snapshots, rising. */
  readonly snapshotOffsets: readonly number[]
  /** By base offset, rising. */
  readonly leftovers: readonly LeftoverFile[]
  /** Indexes whose .log is not there, by name. */
  readonly orphans: readonly string[]
  /** Everything else, by name: checkpoints, `partition.metadata`, and what is not Kafka's. */
  readonly others: readonly string[]
}

/** `00000000000000004059.log`, and with a state `00000000000000004059.log.deleted`. */
export function logFileName(baseOffset: number, kind: SegmentFileKind, state?: LeftoverState): string {
  assert(Number.isSafeInteger(baseOffset) && baseOffset >= 0, `a file of a log is named after an offset, not ${baseOffset}`)
  const name = `${String(baseOffset).padStart(OFFSET_DIGITS, '0')}.${kind}`
  return state === undefined ? name : `${name}.${state}`
}

/** Undefined for a name that is none of a log's; `directory` is named in the error of an offset above 2^53 - 1. */
export function parseLogFileName(directory: string, name: string): LogFileName | undefined {
  const found = FILE_NAME.exec(name)
  if (found === null) return undefined
  const baseOffset = Number(found[1])
  if (!Number.isSafeInteger(baseOffset)) throw damagedFile(directory, `the file ${name}, whose offset is too high`, REMEDY)
  return { baseOffset, kind: found[2] as SegmentFileKind, state: found[3] as LeftoverState | undefined }
}

/** Sorts the names of a partition directory; throws KAFKA_STORAGE_ERROR for an offset above 2^53 - 1. */
export function parseLogDirectory(directory: string, names: Iterable<string>): LogDirectoryListing {
  const kinds = new Map<number, Set<SegmentFileKind>>()
  const leftovers: LeftoverFile[] = []
  const others: string[] = []
  for (const name of names) {
    const parsed = parseLogFileName(directory, name)
    if (parsed === undefined) others.push(name)
    else if (parsed.state !== undefined) leftovers.push({ name, ...parsed, state: parsed.state })
    else kinds.set(parsed.baseOffset, (kinds.get(parsed.baseOffset) ?? new Set()).add(parsed.kind))
  }
  const segments: SegmentFiles[] = []
  const snapshotOffsets: number[] = []
  const orphans: string[] = []
  for (const [baseOffset, here] of [...kinds].sort(([a], [b]) => a - b)) {
    if (here.has('snapshot')) snapshotOffsets.push(baseOffset)
    if (here.has('log')) {
      const hasOffsetIndex = here.has('index')
      segments.push({ baseOffset, hasOffsetIndex, hasTimeIndex: here.has('timeindex'), hasTransactionIndex: here.has('txnindex') })
    } else {
      for (const kind of here) if (kind !== 'snapshot') orphans.push(logFileName(baseOffset, kind))
    }
  }
  leftovers.sort((a, b) => a.baseOffset - b.baseOffset || (a.name < b.name ? -1 : 1))
  return { segments, snapshotOffsets, leftovers, orphans: orphans.sort(), others: others.sort() }
}
