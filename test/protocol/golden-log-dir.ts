// The log directory of a Kafka broker, from the archive beside the repository, and
// Kafka's own dump of it.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { VarintReader } from '../../src/record/varint.ts'
import { BATCH_HEADER_BYTES } from '../../src/record/record-batch-layout.ts'
import { batchSizeInBytes, isControlBatch, isCrcValid } from '../../src/record/record-batch.ts'
import { readReference, referenceFile } from './schema-facts.ts'

const TAR_BLOCK = 512
/** A piece of a sparse file in a tar: 12 digits of its place, 12 of its length. */
const TAR_PIECE = 24
const TAR_HEADER_PIECES_AT = 386
const TAR_HEADER_PIECES = 4

/** As a clean stop leaves it, or as SIGKILL did before: with files that are mostly holes. */
export type GoldenLogDir = 'clean' | 'after-kill'

/** Files by path; undefined where the archive is not there. */
export function readGoldenLogDir(which: GoldenLogDir = 'clean'): Map<string, Uint8Array> | undefined {
  const url = referenceFile(`golden/kafka-log-dir-${which}.tar.gz`)
  if (url === undefined) return undefined
  const tar = gunzipSync(readFileSync(url))
  const files = new Map<string, Uint8Array>()
  for (let at = 0; at + TAR_BLOCK <= tar.length && tar[at] !== 0; ) {
    const name = text(tar, at, 100)
    const size = Number.parseInt(text(tar, at + 124, 12), 8)
    const content = tar.subarray(at + TAR_BLOCK, at + TAR_BLOCK + size)
    const isSparse = text(tar, at + 156, 1) === 'S'
    files.set(name.replace(/^\.\//, ''), isSparse ? unfolded(tar, at, content) : new Uint8Array(content))
    at += TAR_BLOCK * (1 + Math.ceil(size / TAR_BLOCK))
  }
  return files
}

/** The file of a sparse entry of GNU tar, holes and all. */
function unfolded(tar: Buffer, header: number, content: Buffer): Uint8Array {
  const file = new Uint8Array(Number.parseInt(text(tar, header + 483, 12), 8))
  if (tar[header + 482] !== 0) throw new Error('a sparse file has more pieces than are read here')
  let from = 0
  for (let piece = 0; piece < TAR_HEADER_PIECES; piece++) {
    const at = header + TAR_HEADER_PIECES_AT + TAR_PIECE * piece
    const start = Number.parseInt(text(tar, at, 12) || '0', 8)
    const length = Number.parseInt(text(tar, at + 12, 12) || '0', 8)
    file.set(content.subarray(from, from + length), start)
    from += length
  }
  return file
}

function text(tar: Buffer, at: number, length: number): string {
  return tar
    .toString('latin1', at, at + length)
    .replace(/\0.*$/s, '')
    .trim()
}

export interface LogRecord {
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** The records of a segment, without those of control batches. */
export function readRecords(segment: Uint8Array): LogRecord[] {
  const cursor = new RecordCursor()
  const records: LogRecord[] = []
  cursor.reset(segment, 0, segment.length, 0)
  while (cursor.next()) {
    const { offset, keyStart, keyEnd, valueStart, valueEnd } = cursor
    const key = keyStart < 0 ? null : segment.slice(keyStart, keyEnd)
    records.push({ offset, key, value: valueStart < 0 ? null : segment.slice(valueStart, valueEnd) })
  }
  return records
}

/** Type and value of each control record of a segment. */
export function readControlRecords(segment: Uint8Array): { type: number; value: Uint8Array }[] {
  const records: { type: number; value: Uint8Array }[] = []
  const reader = new VarintReader()
  for (let at = 0; at < segment.length; at += batchSizeInBytes(segment, at)) {
    const end = at + batchSizeInBytes(segment, at)
    if (!isCrcValid(segment, at, end)) throw new Error(`the batch at ${at} is damaged`)
    if (!isControlBatch(segment, at)) continue
    reader.reset(segment, at + BATCH_HEADER_BYTES, end)
    while (reader.position < end) {
      reader.readVarint()
      reader.readByte()
      reader.readVarlong()
      reader.readVarint()
      const keyLength = reader.readLength(false)
      const type = segment[reader.position + 3]!
      reader.position += keyLength
      const valueLength = reader.readLength(false)
      records.push({ type, value: segment.slice(reader.position, reader.position + valueLength) })
      reader.position += valueLength
      reader.readVarint()
    }
  }
  return records
}

export interface DumpedRecord {
  readonly offset: number
  readonly key: string
  readonly value: string
}

/** What Kafka's dump prints of a partition's records: JSON, cut off where it is long. Undefined where it prints none. */
export function readDump(partition: string): DumpedRecord[] | undefined {
  const dump = readReference('golden/kafka-log-dir-clean.dump.txt.gz')!
  const section = dump.split('#### ').find((part) => part.startsWith(`${partition}\n`))
  if (section === undefined) return undefined
  const lines = section.matchAll(/^\| offset: (\d+) .* key: (\{.*\}) payload: (.*)$/gm)
  return [...lines].map(([, offset, key, value]) => ({ offset: Number(offset), key: key!, value: value! }))
}
