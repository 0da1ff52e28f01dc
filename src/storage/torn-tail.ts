// What stands behind the first bad batch of a log, and what is done about it (DESIGN.md, "On disk").
// Runs on the thread that opens the partition.
//
//   the log was closed                                          damage
//   the offset that should be there is below the mark of        damage
//     what was synced
//   the machine was started again since                         a torn tail: unsynced pages reach the
//                                                               disk in any order
//   only the process ended, and the file ends inside the        a torn tail: the last write was cut
//     batch or holds none, and no sound batch stands behind     short
//   only the process ended, and anything else                   damage
//
//   damage     nothing is cut, nothing is served: KAFKA_STORAGE_ERROR
//   torn tail  its bytes are kept in `<offset>.torn`, which Kafka's tools pass over; then it is cut
//
// Holds: the bytes are kept before anything is cut, so a crash in between changes nothing. The
// same tail kept again is the same file.

import { looseInt64, looseLastOffset } from '../log/batch-walk.ts'
import { BATCH_HEADER_BYTES, MAGIC, MAGIC_V2 } from '../record/record-batch-layout.ts'
import { batchSizeInBytes, isCrcValid } from '../record/record-batch.ts'
import type { DiskFile } from '../disk/disk.ts'
import { damagedFile } from './file-errors.ts'
import { logFileName } from './log-file-names.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { headerFault } from './segment-scan.ts'
import type { SegmentFault } from './segment-scan.ts'
import { SegmentSource, WHOLE_BATCHES_WINDOW_BYTES } from './segment-source.ts'
import type { ByteSource } from './segment-source.ts'

/** Tails kept of one partition; the oldest goes when there are more. */
const TORN_FILES_MAX = 8
const COPY_BYTES = 1024 * 1024
/** A sound batch so far above the expected offset is none of this log. */
const OFFSET_AHEAD_MAX = 2 ** 31

/** `00000000000000000123.torn`, and `.torn-1` where another tail was cut off at that offset. */
function tornFileName(offset: number, number: number): string {
  return logFileName(offset, 'log').replace(/log$/, number === 0 ? 'torn' : `torn-${number}`)
}

/** The rest of the log from the fault on: of its segment, and the segments behind. */
export interface LogRest {
  readonly fault: SegmentFault
  /** Base offsets of the segment with the fault, and of all behind it. */
  readonly segments: readonly number[]
}

export interface TailCircumstances {
  readonly isClean: boolean
  readonly hasRebooted: boolean
  /** All below was synced. */
  readonly mark: number
}

/** Returns when the rest is a torn tail; throws KAFKA_STORAGE_ERROR when it is damage. */
export function assertTorn(directory: PartitionDirectory, rest: LogRest, circumstances: TailCircumstances): void {
  const { fault, segments } = rest
  if (circumstances.isClean) throw damagedLog(directory, rest, 'although the log was closed')
  if (fault.offset < circumstances.mark) throw damagedLog(directory, rest, `and all below ${circumstances.mark} was synced`)
  if (circumstances.hasRebooted) return
  if (fault.kind === 'wrong CRC') throw damagedLog(directory, rest, 'in a whole batch, and the machine was not started again')
  for (const [i, baseOffset] of segments.entries()) {
    const found = withLog(directory, baseOffset, (file) => findSoundBatch(file, i === 0 ? fault.position : 0, fault.offset))
    if (found === undefined) continue
    const where = `${logFileName(baseOffset, 'log')} at byte ${found.position}`
    throw damagedLog(directory, rest, `before sound batches (offset ${found.offset} in ${where}), and the machine was not started again`)
  }
}

export function damagedLog(directory: PartitionDirectory, { fault, segments }: LogRest, why: string): Error {
  const remedy =
    `Nothing was cut. Put back a copy of ${directory.path}; or, to give up offset ${fault.offset} and all behind it, ` +
    'cut the file at that byte, remove the segments behind it, remove this partition from the checkpoint files beside its directory, ' +
    'and delete durable-ends and .kafka_cleanshutdown there.'
  const found = `${FOUND[fault.kind]} at byte ${fault.position}, where offset ${fault.offset} should begin, ${why}`
  return damagedFile(directory.pathOf(logFileName(segments[0]!, 'log')), found, remedy)
}

const FOUND: Readonly<Record<SegmentFault['kind'], string>> = {
  'cut short': 'the end of the file inside a batch',
  'no batch': 'no record batch',
  'out of order': 'a batch of another offset or leader epoch',
  'wrong CRC': 'a wrong CRC',
}

/** The first sound batch at or behind `from` whose offset is not below `minOffset`. */
export function findSoundBatch(source: ByteSource, from: number, minOffset: number): { position: number; offset: number } | undefined {
  const file = new SegmentSource(source, WHOLE_BATCHES_WINDOW_BYTES)
  for (let position = from; position + BATCH_HEADER_BYTES <= file.sizeInBytes; ) {
    const at = file.at(position, BATCH_HEADER_BYTES)
    if (at < 0) return undefined
    const behind = file.windowEnd - BATCH_HEADER_BYTES
    let skip = 0
    // The byte that rarely fits is looked at first.
    while (position + skip <= behind && !isPlausible(file, at + skip, position + skip, minOffset)) skip++
    position += skip
    if (position > behind) continue
    const size = batchSizeInBytes(file.bytes, at + skip)
    const whole = file.at(position, size)
    if (whole >= 0 && isCrcValid(file.bytes, whole, whole + size)) return { position, offset: looseInt64(file.bytes, whole) }
    position++
  }
  return undefined
}

function isPlausible(file: SegmentSource, at: number, position: number, minOffset: number): boolean {
  if (file.bytes[at + MAGIC] !== MAGIC_V2 || headerFault(file, at, position) !== undefined) return false
  const offset = looseInt64(file.bytes, at)
  return offset >= minOffset && offset < minOffset + OFFSET_AHEAD_MAX
}

/** Keeps the bytes of the tail; the log message, which names all offsets in it. */
export function keepTornTail(directory: PartitionDirectory, { fault, segments }: LogRest): string {
  const parts: { baseOffset: number; from: number; size: number }[] = []
  const ranges: string[] = []
  for (const [i, baseOffset] of segments.entries()) {
    withLog(directory, baseOffset, (file) => {
      const from = i === 0 ? fault.position : 0
      parts.push({ baseOffset, from, size: file.sizeInBytes() - from })
      ranges.push(...offsetRanges(file, from))
    })
  }
  const bytes = parts.reduce((sum, { size }) => sum + size, 0)
  const name = bytes === 0 ? undefined : keepBytes(directory, fault.offset, parts)
  const offsets = ranges.length === 0 ? 'no whole header' : `offsets ${ranges.join(', ')}`
  return (
    `${directory.path}: the log was cut to end at offset ${fault.offset}: ${FOUND[fault.kind]} at byte ${fault.position} of ` +
    `${logFileName(segments[0]!, 'log')}; gone: ${bytes} bytes with ${offsets}, none of them synced` +
    (name === undefined ? '' : `; the bytes are kept in ${name}`)
  )
}

/** Offsets that headers claim, one behind the other: "10-19". */
function offsetRanges(source: ByteSource, from: number): string[] {
  const file = new SegmentSource(source, WHOLE_BATCHES_WINDOW_BYTES)
  const ranges: { first: number; last: number }[] = []
  for (let position = from; position < file.sizeInBytes; ) {
    const at = file.at(position, BATCH_HEADER_BYTES)
    const fault = headerFault(file, at, position)
    if (at < 0 || fault === 'no batch') break
    const first = looseInt64(file.bytes, at)
    const last = looseLastOffset(file.bytes, at)
    const before = ranges.at(-1)
    if (before !== undefined && before.last + 1 === first) before.last = last
    else ranges.push({ first, last })
    if (fault !== undefined) break
    position += batchSizeInBytes(file.bytes, at)
  }
  return ranges.map(({ first, last }) => `${first}-${last}`)
}

function keepBytes(
  directory: PartitionDirectory,
  offset: number,
  parts: readonly { readonly baseOffset: number; readonly from: number; readonly size: number }[],
): string {
  let number = 0
  while (directory.exists(tornFileName(offset, number)) && !holdsSame(directory, tornFileName(offset, number), parts)) number++
  const name = tornFileName(offset, number)
  if (directory.exists(name)) return name
  const temporary = `${name}.tmp`
  directory.removeIfThere(temporary)
  const file = directory.create(temporary)
  try {
    let at = 0
    for (const { baseOffset, from, size } of parts) {
      withLog(directory, baseOffset, (log) => {
        const chunk = new Uint8Array(Math.min(COPY_BYTES, size))
        for (let done = 0; done < size; ) {
          const read = log.read(chunk, 0, Math.min(chunk.length, size - done), from + done)
          at += file.write(chunk, 0, read, at)
          done += read
        }
      })
    }
    file.sync()
  } finally {
    file.close()
  }
  directory.markSynced(temporary)
  directory.rename(temporary, name)
  forgetOldest(directory, name)
  directory.syncNames()
  return name
}

function holdsSame(directory: PartitionDirectory, name: string, parts: Parameters<typeof keepBytes>[2]): boolean {
  const file = directory.read(name)
  try {
    if (file.sizeInBytes() !== parts.reduce((sum, { size }) => sum + size, 0)) return false
    let at = 0
    return parts.every(({ baseOffset, from, size }) =>
      withLog(directory, baseOffset, (log) => {
        for (let done = 0; done < size; ) {
          const length = Math.min(COPY_BYTES, size - done)
          const kept = new Uint8Array(length)
          const here = new Uint8Array(length)
          file.read(kept, 0, length, at)
          log.read(here, 0, length, from + done)
          if (Buffer.compare(kept, here) !== 0) return false
          at += length
          done += length
        }
        return true
      }),
    )
  } finally {
    file.close()
  }
}

function forgetOldest(directory: PartitionDirectory, kept: string): void {
  const torn = directory.disk.list(directory.path).filter((name) => /^\d{20}\.torn(-\d+)?$/.test(name) && name !== kept)
  const modifiedMs = (name: string): number => directory.disk.stat(directory.pathOf(name)).modifiedMs
  torn.sort((a, b) => modifiedMs(a) - modifiedMs(b))
  for (const name of torn.slice(0, Math.max(0, torn.length + 1 - TORN_FILES_MAX))) directory.remove(name)
}

function withLog<Result>(directory: PartitionDirectory, baseOffset: number, use: (file: DiskFile) => Result): Result {
  const file = directory.read(logFileName(baseOffset, 'log'))
  try {
    return use(file)
  } finally {
    file.close()
  }
}
