// A snapshot of the metadata log (KIP-630): all of an image as records between a header
// and a footer. In memory it stands in a log of its own, and what one snapshot is, is what
// lies between the last two marks there; Kafka has it in a file named by its end offset,
// which is in our header instead. Pure.

import { MillraceError } from '../errors.ts'
import { decodeMetadataRecord } from '../protocol/metadata-record-frame.ts'
import { SNAPSHOT_FOOTER_RECORD, SNAPSHOT_HEADER_RECORD } from '../protocol/records/control-records.ts'
import { decodeMessage } from '../protocol/decoder.ts'
import { encodeMessage } from '../protocol/encoder.ts'
import { readControlRecord, snapshotMarkBatch } from '../record/control-record.ts'
import { batchSizeInBytes, isControlBatch } from '../record/record-batch.ts'
import { RecordCursor } from '../record/record-cursor.ts'
import { encodeBatch } from './metadata-batch.ts'
import { MetadataDelta } from './metadata-delta.ts'
import { MetadataImage } from './metadata-image.ts'
import type { TopicImage } from './metadata-image.ts'
import { METADATA_VERSION } from './metadata-records.ts'
import type { MetadataRecord } from './metadata-records.ts'

/** `endOffset`: one past the last record of the log that the snapshot contains. */
const HEADER = SNAPSHOT_HEADER_RECORD.extended<{ endOffset: number }>('endOffset int64 #10000 =-1')
const RECORDS_A_BATCH = 512

/** The batches of a snapshot, in their order. */
export function encodeSnapshot(image: MetadataImage, nowMs: number): Uint8Array[] {
  const header = encodeMessage(HEADER, 0, { lastContainedLogTimestamp: nowMs, endOffset: image.offset })
  const batches = [snapshotMarkBatch({ type: 'SNAPSHOT_HEADER', value: header }, nowMs)]
  let records: MetadataRecord[] = []
  for (const record of imageRecords(image)) {
    if (records.push(record) < RECORDS_A_BATCH) continue
    batches.push(encodeBatch(records, nowMs))
    records = []
  }
  if (records.length > 0) batches.push(encodeBatch(records, nowMs))
  batches.push(snapshotMarkBatch({ type: 'SNAPSHOT_FOOTER', value: encodeMessage(SNAPSHOT_FOOTER_RECORD, 0, {}) }, nowMs))
  return batches
}

/** Records that make this image out of the empty one. */
export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  const { clusterId, features, configs, nextProducerId } = image.content
  for (const [name, featureLevel] of features) {
    yield { type: 'FeatureLevelRecord', record: { name, featureLevel, ...(name === METADATA_VERSION ? { clusterId } : {}) } }
  }
  for (const { brokerId, brokerEpoch, incarnationId, fenced } of image.brokers) {
    yield { type: 'RegisterBrokerRecord', record: { brokerId, brokerEpoch, incarnationId, fenced } }
  }
  for (const topic of image.topics) yield* topicRecords(topic)
  for (const [key, config] of configs) {
    const resourceType = Number.parseInt(key, 10)
    const resourceName = key.slice(key.indexOf(':') + 1)
    for (const [name, value] of Object.entries(config)) yield { type: 'ConfigRecord', record: { resourceType, resourceName, name, value } }
  }
  if (nextProducerId > 0) yield { type: 'ProducerIdsRecord', record: { brokerId: -1, nextProducerId } }
}

function* topicRecords({ name, topicId, partitions }: TopicImage): Generator<MetadataRecord> {
  yield { type: 'TopicRecord', record: { name, topicId } }
  for (const partition of partitions) yield { type: 'PartitionRecord', record: { topicId, ...partition } }
}

/** Reads batch after batch of the snapshots' log, and keeps the last snapshot that is whole. */
export class SnapshotReader {
  readonly #cursor = new RecordCursor()
  #delta: MetadataDelta | undefined
  #endOffset = 0
  /** The last one that was read to its footer. */
  image: MetadataImage | undefined

  /** The whole batches in bytes[0, length). */
  read(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length; at += batchSizeInBytes(bytes, at)) {
      const end = at + batchSizeInBytes(bytes, at)
      if (isControlBatch(bytes, at)) this.#readMark(bytes, at, end)
      else this.#readRecords(bytes, at, end)
    }
  }

  /** What was being read is gone: it begins anew with the next header. */
  restart(): void {
    this.#delta = undefined
  }

  #readMark(bytes: Uint8Array, start: number, end: number): void {
    const mark = readControlRecord(bytes, start, end)
    if (mark.type === 'SNAPSHOT_HEADER') {
      this.#endOffset = decodeMessage(HEADER, 0, mark.value, { code: 'CORRUPT_MESSAGE' }).endOffset
      this.#delta = new MetadataDelta(MetadataImage.EMPTY)
    } else if (mark.type === 'SNAPSHOT_FOOTER' && this.#delta !== undefined) {
      if (this.#endOffset < 0) throw new MillraceError('CORRUPT_MESSAGE', 'a snapshot in log memory says where it ends')
      this.image = this.#delta.apply(this.#endOffset)
      this.#delta = undefined
    }
  }

  #readRecords(bytes: Uint8Array, start: number, end: number): void {
    const cursor = this.#cursor
    cursor.reset(bytes, start, end, 0)
    while (cursor.next()) this.#delta?.replay(decodeMetadataRecord(bytes.subarray(cursor.valueStart, cursor.valueEnd)))
  }
}
