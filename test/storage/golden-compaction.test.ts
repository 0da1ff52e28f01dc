// A topic that Kafka compacted, compacted again: nothing goes that must stay.

import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { partitionFilesConfigOf } from '../../src/storage/partition-files-config.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { keyedBatches } from '../log/keyed-batches.ts'
import type { SeenRecord } from '../log/keyed-batches.ts'
import { readGoldenLogDir } from '../protocol/golden-log-dir.ts'
import { CleanedFiles } from './cleaned-partition.ts'
import { logBytes } from './partition-fixture.ts'
import { openFiles } from './open-files.ts'

const golden = readGoldenLogDir('clean') ?? new Map<string, Uint8Array>()
const partitions = [...golden.keys()].flatMap((path) => {
  const partition = /^((?:compacted|__consumer_offsets|__transaction_state)-\d+)\/\d+\.log$/.exec(path)?.[1]
  return partition !== undefined && golden.get(path)!.length > 0 ? [partition] : []
})
const NOW_MS = 2_000_000_000_000

describe.skipIf(golden.size === 0)('what Kafka wrote', () => {
  test('has compacted partitions', () => expect(partitions).toContain('compacted-0'))

  test.each([...new Set(partitions)])('%s: the last record of each key, where it was, but for tombstones', async (partition) => {
    const directory = `/data/${partition}`
    const disk = new SimulatedDisk()
    disk.makeDirectory(directory, true)
    for (const [path, bytes] of golden) {
      if (!path.startsWith(`${partition}/`) || path.endsWith('/')) continue
      const file = disk.open(`/data/${path}`, 'create')
      file.write(bytes, 0, bytes.length, 0)
      file.close()
    }
    const config = { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'delete.retention.ms': '0', 'segment.bytes': '1048576' }
    const open = (isClean: boolean): PartitionFiles =>
      openFiles({
        disk,
        directory,
        config: partitionFilesConfigOf(config),
        clock: new VirtualClock(NOW_MS),
        random: seededRandom(1),
        recoveryPoint: 0,
        logStartOffset: 0,
        isClean,
        hasRebooted: false,
        durableEnd: 0,
      })
    const recordsOf = (): SeenRecord[] => {
      const bytes = logBytes(disk, directory)
      const batches = keyedBatches(bytes, bytes.length, 0)
      expect(batches.filter(({ crc }) => crc !== 'valid')).toEqual([])
      return batches.flatMap(({ records }) => records)
    }
    const files = open(true)
    files.roll()
    const before = recordsOf()
    const world = new CleanedFiles({ disk, files, config, segmentBytes: 1_048_576, indexIntervalBytes: 4_096, startMs: NOW_MS })
    for (let i = 0; i < 2; i++) {
      await world.clean()
      world.cleanedOffset = 0
      world.clock.advance(1_000)
    }
    expect(world.log).toEqual([])
    const after = recordsOf()
    const last = new Map(before.map((each) => [each.key, each]))
    expect(after).toEqual([...last.values()].filter(({ key, value }) => key !== null && value !== null).sort((a, b) => a.offset - b.offset))
    expect(files.close()).toBe(true)
    const { endOffset } = open(false)
    expect(endOffset).toBe(files.endOffset)
  })
})
