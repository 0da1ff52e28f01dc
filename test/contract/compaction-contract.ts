// What every compaction promises, of a log in memory or of one in files. Each kind runs this
// with its own way to make a log, to let time pass, to compact what is due, and to read.

import { describe, expect, test } from 'vitest'
import type { KeyedBatchOptions, KeyedRecord, SeenKeyedBatch, SeenRecord } from '../log/keyed-batches.ts'

export interface CompactedLog {
  nowMs(): number
  advance(ms: number): void
  /** The first offset. */
  append(records: readonly KeyedRecord[], options?: KeyedBatchOptions): number
  /** All that was appended is committed, from now on what is not is not. */
  holdCommits(): void
  /** All that was appended is committed. */
  commit(): void
  /** The next batch goes into another extent, or segment. */
  roll(): void
  /** What is due is compacted, until nothing is. */
  clean(): Promise<void>
  /** All batches that are there. */
  read(): SeenKeyedBatch[]
}

const EAGER = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }

export function describeCompaction(name: string, make: (config: Record<string, string>) => CompactedLog): void {
  const record = (log: CompactedLog, key: string | null, value: string | null): KeyedRecord => ({
    key,
    value,
    timestampMs: Math.floor(log.nowMs()),
  })
  /** What was appended until now may be compacted. */
  const leave = (log: CompactedLog): void => {
    log.roll()
    log.append([record(log, 'tail', 'x')])
    log.roll()
    log.append([record(log, 'tail', 'x')])
  }
  const recordsOf = (log: CompactedLog): SeenRecord[] =>
    log
      .read()
      .flatMap(({ records }) => records)
      .filter(({ key }) => key !== 'tail')
  const valuesOf = (log: CompactedLog): string[] => recordsOf(log).map(({ key, value }) => `${key}=${value}`)

  describe(name, () => {
    test('the last value of each key stays, where it was, with its time; nothing else does', async () => {
      const log = make(EAGER)
      const appended: SeenRecord[] = []
      for (let i = 0; i < 60; i++) {
        const records = [record(log, `k${i % 7}`, `${i} a`), record(log, `k${(i * 3) % 11}`, `${i} b`), record(log, `once ${i % 20}`, 'c')]
        const base = log.append(records)
        appended.push(...records.map((each, n) => ({ ...each, offset: base + n })))
        log.advance(3)
        if (i % 9 === 8) log.roll()
      }
      leave(log)
      await log.clean()
      const last = new Map(appended.map((each) => [each.key, each]))
      expect(recordsOf(log)).toEqual([...last.values()].sort((a, b) => a.offset - b.offset))
      for (const { crc, baseOffset, nextOffset, records } of log.read()) {
        expect(crc).not.toBe('wrong')
        for (const { offset } of records) expect(offset >= baseOffset && offset < nextOffset).toBe(true)
      }
      const offsets = log.read().map(({ baseOffset }) => baseOffset)
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    })

    test('what follows is not compacted, and compacted again later with what is left of before', async () => {
      const log = make(EAGER)
      log.append([record(log, 'a', '1'), record(log, 'b', '1'), record(log, 'a', '2')])
      leave(log)
      await log.clean()
      log.append([record(log, 'a', '3'), record(log, 'a', '4'), record(log, 'b', null), record(log, 'c', '1')])
      expect(valuesOf(log)).toEqual(['b=1', 'a=2', 'a=3', 'a=4', 'b=null', 'c=1'])
      leave(log)
      await log.clean()
      expect(valuesOf(log)).toEqual(['a=4', 'b=null', 'c=1'])
    })

    test('a tombstone goes when its horizon has come, and not before', async () => {
      const log = make({ ...EAGER, 'delete.retention.ms': '60000' })
      log.append([record(log, 'a', '1'), record(log, 'b', '1')])
      log.append([record(log, 'a', null), record(log, 'c', '1')])
      leave(log)
      await log.clean()
      expect(valuesOf(log)).toEqual(['b=1', 'a=null', 'c=1'])
      const horizonMs = log.read().find(({ horizonMs }) => horizonMs !== undefined)!.horizonMs!
      expect(Math.abs(horizonMs - log.nowMs() - 60_000)).toBeLessThan(200)
      log.advance(59_000)
      leave(log)
      await log.clean()
      expect(valuesOf(log)).toEqual(['b=1', 'a=null', 'c=1'])
      expect(log.read().find(({ horizonMs }) => horizonMs !== undefined)!.horizonMs).toBe(horizonMs)
      log.advance(2_000)
      leave(log)
      await log.clean()
      expect(valuesOf(log)).toEqual(['b=1', 'c=1'])
    })

    test('the last batch of a producer stays, empty if need be', async () => {
      const log = make(EAGER)
      log.append([record(log, 'a', '1')], { producerId: 7, producerEpoch: 3, baseSequence: 0 })
      log.append([record(log, 'a', '2'), record(log, 'b', '1')], { producerId: 7, producerEpoch: 3, baseSequence: 1 })
      log.append([record(log, 'a', '3'), record(log, 'b', '2')], { producerId: 8, producerEpoch: 0, baseSequence: 0 })
      leave(log)
      await log.clean()
      const batches = log.read().filter(({ producerId }) => producerId >= 0)
      expect(batches.map(({ producerId, baseOffset, nextOffset, count }) => [producerId, baseOffset, nextOffset, count])).toEqual([
        [7, 1, 3, 0],
        [8, 3, 5, 2],
      ])
    })

    test('records without a key go, and compressed batches are treated as all others', async () => {
      const log = make(EAGER)
      log.append([record(log, null, 'x'), record(log, 'a', '1')])
      for (const [i, codec] of ['gzip', 'snappy', 'lz4', 'zstd'].entries()) {
        log.append([record(log, 'a', codec), record(log, codec, 'v'.repeat(500)), record(log, null, '')], { compression: i + 1 })
      }
      log.append([record(log, 'kept whole', 'v')], { compression: 4 })
      leave(log)
      await log.clean()
      const long = 'v'.repeat(500)
      expect(valuesOf(log)).toEqual([`gzip=${long}`, `snappy=${long}`, `lz4=${long}`, 'a=zstd', `zstd=${long}`, 'kept whole=v'])
    })

    test('not before min.compaction.lag.ms', async () => {
      const log = make({ ...EAGER, 'min.compaction.lag.ms': '60000' })
      log.append([record(log, 'a', '1'), record(log, 'a', '2')])
      leave(log)
      log.advance(50_000)
      await log.clean()
      expect(valuesOf(log)).toEqual(['a=1', 'a=2'])
      log.advance(11_000)
      await log.clean()
      expect(valuesOf(log)).toEqual(['a=2'])
    })

    test('not while too little is dirty, but after max.compaction.lag.ms', async () => {
      const log = make({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.5', 'max.compaction.lag.ms': '600000' })
      const fill = 'v'.repeat(400)
      for (let i = 0; i < 40; i++) log.append([record(log, `k${i}`, fill)])
      leave(log)
      await log.clean()
      log.append([record(log, 'k1', '1'), record(log, 'k1', '2')])
      leave(log)
      log.advance(60_000)
      await log.clean()
      const ofK1 = (): (string | null)[] =>
        recordsOf(log)
          .filter(({ key }) => key === 'k1')
          .map(({ value }) => value)
      expect(ofK1()).toEqual([fill, '1', '2'])
      log.advance(600_000)
      await log.clean()
      expect(ofK1()).toEqual(['2'])
    })

    test('what is not committed is not compacted, and takes nothing away', async () => {
      const log = make(EAGER)
      log.append([record(log, 'a', '1'), record(log, 'b', '1')], { producerId: 7, producerEpoch: 0, baseSequence: 0 })
      leave(log)
      log.holdCommits()
      log.append([record(log, 'a', '2'), record(log, 'a', '3')], { producerId: 7, producerEpoch: 0, baseSequence: 2 })
      leave(log)
      await log.clean()
      log.commit()
      expect(valuesOf(log)).toEqual(['a=1', 'b=1', 'a=2', 'a=3'])
      leave(log)
      await log.clean()
      expect(valuesOf(log)).toEqual(['b=1', 'a=3'])
    })
  })
}
