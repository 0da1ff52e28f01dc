// Every other file of a log directory that Kafka wrote: read, and written again.

import { describe, expect, test } from 'vitest'
import { formatTopicId } from '../../src/ids.ts'
import { decodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'
import { producerId } from '../../src/record/record-batch.ts'
import { decodeCleanShutdown, encodeCleanShutdown } from '../../src/storage/clean-shutdown-file.ts'
import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint } from '../../src/storage/leader-epoch-checkpoint.ts'
import { parseLogDirectory } from '../../src/storage/log-file-names.ts'
import { decodeMetaProperties, encodeMetaProperties } from '../../src/storage/meta-properties.ts'
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../src/storage/offset-checkpoint.ts'
import { parsePartitionDirectoryName, partitionDirectoryName } from '../../src/storage/partition-directory-name.ts'
import { decodePartitionMetadata, encodePartitionMetadata } from '../../src/storage/partition-metadata-file.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, readTransactionIndex, writeAbortedTransaction } from '../../src/storage/transaction-index.ts'
import { readRecords } from '../protocol/golden-log-dir.ts'
import { dumpSections, filesAfterKill, goldenFiles, goldenSegments } from './golden-segments.ts'

const files = goldenFiles ?? new Map<string, Uint8Array>()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const text = (path: string): string => Buffer.from(files.get(path)!).toString('utf8')
const named = (end: string): string[] => [...files.keys()].filter((path) => path.endsWith(end))

describe.skipIf(goldenFiles === undefined)(`Kafka's log directory${goldenFiles === undefined ? ' (skipped: it is not here)' : ''}`, () => {
  test('every file is of a kind that is read here, but for those of the quorum', () => {
    const known = /(\.log|\.index|\.timeindex|\.txnindex|\.snapshot|-checkpoint|partition\.metadata|meta\.properties|cleanshutdown)$/
    expect([...files.keys()].filter((path) => !known.test(path) && !path.endsWith('/'))).toEqual([
      '__cluster_metadata-0/quorum-state',
      'bootstrap.checkpoint',
    ])
  })

  test.each(named('.snapshot'))('%s is decoded, and encoded byte for byte', (path) => {
    const entries = decodeProducerSnapshot(path, files.get(path)!)
    expect(hex(encodeProducerSnapshot(entries))).toBe(hex(files.get(path)!))
  })

  test('snapshots say what the batches before them say', () => {
    const path = 'packed-0/00000000000000001200.snapshot'
    const entries = decodeProducerSnapshot(path, files.get(path)!)
    const { batches, log } = goldenSegments().find(({ partition }) => partition === 'packed-0')!
    for (const entry of entries) {
      const last = batches.findLast(({ position }) => producerId(log, position) === entry.producerId)!
      expect([entry.lastOffset, entry.timestampMs]).toEqual([last.lastOffset, last.maxTimestampMs])
    }
    expect(entries).toHaveLength(4)
    const open = decodeProducerSnapshot('x', files.get('transacted-0/00000000000000000005.snapshot')!)
    const begun = { producerId: 4, producerEpoch: 0, lastSequence: 4, lastOffset: 4, offsetDelta: 4, timestampMs: 1_431_857_103_000 }
    expect(open).toEqual([{ ...begun, coordinatorEpoch: -1, currentTransactionFirstOffset: 0 }])
  })

  test('the transaction index is read, written byte for byte, and names the abort markers of the dump', () => {
    const path = 'transacted-0/00000000000000000005.txnindex'
    const transactions = readTransactionIndex(path, files.get(path)!, 5, 108)
    const written = new Uint8Array(TRANSACTION_INDEX_ENTRY_BYTES * transactions.length)
    for (const [i, one] of transactions.entries()) writeAbortedTransaction(written, TRANSACTION_INDEX_ENTRY_BYTES * i, one)
    expect(hex(written)).toBe(hex(files.get(path)!))
    const dump = dumpSections('transacted-0').join('\n')
    const markers = [...dump.matchAll(/^\| offset: (\d+) .* endTxnMarker: ABORT /gm)].map(([, offset]) => Number(offset))
    expect(transactions.map(({ lastOffset }) => lastOffset)).toEqual(markers)
    const aborted = [...dump.matchAll(/^\| offset: (\d+) .* payload: .* ABORTED$/gm)].map(([, offset]) => Number(offset))
    expect(aborted.length).toBeGreaterThan(20)
    for (const offset of aborted) {
      expect(transactions.some(({ firstOffset, lastOffset }) => offset >= firstOffset && offset < lastOffset)).toBe(true)
    }
  })

  test.each(named('-checkpoint').filter((path) => !path.endsWith('leader-epoch-checkpoint')))('%s', (path) => {
    const offsets = decodeOffsetCheckpoint(path, text(path))
    expect(encodeOffsetCheckpoint(offsets)).toBe(text(path))
  })

  test('the high watermarks and recovery points are where the logs end', () => {
    for (const path of ['replication-offset-checkpoint', 'recovery-point-offset-checkpoint']) {
      const offsets = new Map(decodeOffsetCheckpoint(path, text(path)).map((one) => [`${one.topic}-${one.partition}`, one.offset]))
      expect(offsets.size).toBe(106)
      for (const partition of ['access-0', 'packed-0', 'transacted-0', 'compacted-0', 'empty-0']) {
        const last = goldenSegments().findLast((one) => one.partition === partition && one.batches.length > 0)
        const ends = goldenSegments().filter((one) => one.partition === partition)
        const end = Math.max(0, ...ends.flatMap(({ batches }) => batches.map(({ lastOffset }) => lastOffset + 1)))
        expect(offsets.get(partition), partition).toBe(end)
        expect(last === undefined).toBe(end === 0)
      }
    }
    expect(decodeOffsetCheckpoint('cleaner-offset-checkpoint', text('cleaner-offset-checkpoint'))).toEqual([
      { topic: 'compacted', partition: 0, offset: 1600 },
    ])
  })

  test.each(named('leader-epoch-checkpoint'))('%s', (path) => {
    const epochs = decodeLeaderEpochCheckpoint(path, text(path))
    expect(epochs.length).toBeGreaterThan(0)
    expect(encodeLeaderEpochCheckpoint(epochs)).toBe(text(path))
  })

  test('each partition.metadata names the topic that the metadata log gives this id', () => {
    const topics = new Map<string, string>([['AAAAAAAAAAAAAAAAAAAAAQ', '__cluster_metadata']])
    for (const { value } of readRecords(files.get('__cluster_metadata-0/00000000000000000000.log')!)) {
      const { type, record } = decodeMetadataRecord(value!)
      if (type === 'TopicRecord') topics.set(formatTopicId((record as TopicNamed).topicId), (record as TopicNamed).name)
    }
    for (const path of named('partition.metadata')) {
      const topicId = decodePartitionMetadata(path, text(path))
      expect(encodePartitionMetadata(topicId)).toBe(text(path))
      expect(topics.get(formatTopicId(topicId))).toBe(parsePartitionDirectoryName(path.split('/')[0]!)?.topic)
    }
  })

  test('meta.properties and the mark of a clean stop', () => {
    const meta = decodeMetaProperties('meta.properties', text('meta.properties'))
    expect(meta).toEqual({ clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'I2VQ3prYmWtKi63HjZ-xow' })
    expect(decodeMetaProperties('meta.properties', encodeMetaProperties(meta))).toEqual(meta)
    const mark = text('.kafka_cleanshutdown')
    expect(decodeCleanShutdown('.kafka_cleanshutdown', mark)).toBe(402)
    expect(encodeCleanShutdown(402)).toBe(mark)
  })

  test('directories and their files are told apart by their names', () => {
    const byDirectory = new Map<string, string[]>()
    for (const path of files.keys()) {
      const [directory, name] = path.split('/')
      if (name === undefined || name === '') continue
      byDirectory.set(directory!, [...(byDirectory.get(directory!) ?? []), name])
    }
    expect(byDirectory.size).toBe(12)
    for (const [directory, names] of byDirectory) {
      const { topic, partition } = parsePartitionDirectoryName(directory)!
      expect(partitionDirectoryName(topic, partition)).toBe(directory)
      const listing = parseLogDirectory(directory, names)
      const bases = goldenSegments().filter((one) => one.partition === directory)
      expect(listing.segments.map(({ baseOffset }) => baseOffset)).toEqual(bases.map(({ baseOffset }) => baseOffset).sort((a, b) => a - b))
      expect([listing.leftovers, listing.orphans]).toEqual([[], []])
      const others = ['leader-epoch-checkpoint', 'partition.metadata', ...(topic === '__cluster_metadata' ? ['quorum-state'] : [])]
      expect(listing.others).toEqual(others)
    }
    const transacted = parseLogDirectory('transacted-0', byDirectory.get('transacted-0')!)
    expect(transacted.snapshotOffsets).toEqual([5, 108])
    expect(transacted.segments[1]).toEqual({ baseOffset: 5, hasOffsetIndex: true, hasTimeIndex: true, hasTransactionIndex: true })
  })

  test('after a kill: what compaction had replaced is still there, by another name', () => {
    const names = [...filesAfterKill!.keys()].filter((path) => /^compacted-0\/./.test(path)).map((path) => path.split('/')[1]!)
    const { segments, snapshotOffsets, leftovers, orphans } = parseLogDirectory('compacted-0', names)
    expect(segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 1600])
    expect([snapshotOffsets, orphans]).toEqual([[1600], []])
    expect(new Set(leftovers.map(({ state }) => state))).toEqual(new Set(['deleted']))
    const logs = leftovers.filter(({ kind }) => kind === 'log')
    expect(logs.map(({ baseOffset }) => baseOffset)).toEqual([0, 400, 800, 1200])
    expect(leftovers).toHaveLength(15)
  })
})

interface TopicNamed {
  readonly name: string
  readonly topicId: Parameters<typeof formatTopicId>[0]
}
