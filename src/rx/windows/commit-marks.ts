// What goes with a committed offset, so that windows are the same after a restart: text for
// Kafka's offset metadata. Pure.
//
//   'w1:' and base64 of
//     streamTimeMs + 1, releasedMs + 1                 varlongs; 0: no record yet
//     number of topics                                 varint
//       length of the name, the name as UTF-8          a topic
//       number of partitions                           varint
//         partition, offset, index                     varint, varlong, varint; one a partition
//     length, text of an operator further down         varint, UTF-8; length 0: none
//
// Holds: what does not fit is left out, the marks first that were longest not heard of; text of
// anybody else reads as nothing.

import { VarintReader, writeVarint, writeVarlong } from '../../record/varint.ts'
import type { OriginMark } from './origin-marks.ts'

/** offset.metadata.max.bytes of the brokers, unless they are told otherwise. */
export const METADATA_MAX_BYTES = 4_096

/** The state of a partition's windows at a position of its log. */
export interface CommitMarks {
  /** The highest time of the records before the position; -1: none. */
  readonly streamTimeMs: number
  /** All results of windows that close up to here are done with: they are not made again. -1: none. */
  readonly releasedMs: number
  /** The last record taken of each source partition, where records were repartitioned; the longest not heard of first. */
  readonly origins: readonly OriginMark[]
  /** Of a stateful operator further down in the same partition; '' for none. */
  readonly inner: string
}

export const NO_MARKS: CommitMarks = Object.freeze({ streamTimeMs: -1, releasedMs: -1, origins: [], inner: '' })

const PREFIX = 'w1:'

/** At most `maxBytes` long. */
export function encodeMarks(marks: CommitMarks, maxBytes = METADATA_MAX_BYTES): string {
  let { origins } = marks
  for (;;) {
    const text = encodeAll(marks, origins)
    if (text.length <= maxBytes || origins.length === 0) return text.length <= maxBytes ? text : encodeAll({ ...marks, inner: '' }, [])
    origins = origins.slice(Math.ceil(origins.length / 8))
  }
}

function encodeAll({ streamTimeMs, releasedMs, inner }: CommitMarks, origins: readonly OriginMark[]): string {
  const byTopic = Map.groupBy(origins, ({ topic }) => topic)
  const names = [...byTopic.keys()].map((topic) => Buffer.from(topic))
  const innerBytes = Buffer.from(inner)
  const bytes = Buffer.allocUnsafe(32 + names.reduce((sum, name) => sum + name.length + 10, 0) + 20 * origins.length + innerBytes.length)
  let at = writeVarlong(bytes, 0, streamTimeMs + 1)
  at = writeVarlong(bytes, at, releasedMs + 1)
  at = writeVarint(bytes, at, names.length)
  let name = 0
  for (const marks of byTopic.values()) {
    at = writeBytes(bytes, at, names[name++]!)
    at = writeVarint(bytes, at, marks.length)
    for (const mark of marks) {
      at = writeVarint(bytes, at, mark.partition)
      at = writeVarlong(bytes, at, mark.offset)
      at = writeVarint(bytes, at, mark.index)
    }
  }
  at = writeBytes(bytes, at, innerBytes)
  return PREFIX + bytes.subarray(0, at).toString('base64')
}

/** Undefined where it is empty, another's, or damaged. */
export function decodeMarks(text: string): CommitMarks | undefined {
  if (!text.startsWith(PREFIX)) return undefined
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64')
  if (bytes.toString('base64') !== text.slice(PREFIX.length)) return undefined
  const reader = new VarintReader()
  reader.reset(bytes, 0, bytes.length)
  try {
    const marks = readMarks(reader)
    return reader.position === bytes.length && isSound(marks) ? marks : undefined
  } catch {
    return undefined
  }
}

function readMarks(reader: VarintReader): CommitMarks {
  const streamTimeMs = reader.readVarlong() - 1
  const releasedMs = reader.readVarlong() - 1
  const origins: OriginMark[] = []
  for (let topics = reader.readLength(false); topics > 0; topics--) {
    const topic = readText(reader)
    for (let partitions = reader.readLength(false); partitions > 0; partitions--)
      origins.push({ topic, partition: reader.readVarint(), offset: reader.readVarlong(), index: reader.readVarint() })
  }
  return { streamTimeMs, releasedMs, origins, inner: readText(reader) }
}

function isSound({ streamTimeMs, releasedMs, origins }: CommitMarks): boolean {
  return (
    streamTimeMs >= -1 && releasedMs >= -1 && origins.every(({ partition, offset, index }) => partition >= 0 && offset >= 0 && index >= 0)
  )
}

function writeBytes(bytes: Uint8Array, at: number, written: Uint8Array): number {
  at = writeVarint(bytes, at, written.length)
  bytes.set(written, at)
  return at + written.length
}

function readText(reader: VarintReader): string {
  const length = reader.readLength(false)
  const start = reader.position
  reader.position += length
  return Buffer.from(reader.bytes.subarray(start, start + length)).toString('utf8')
}
