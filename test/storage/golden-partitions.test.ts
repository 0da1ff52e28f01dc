// Directories that Kafka wrote, opened, closed, and written again.

import { describe, expect, test } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { VirtualClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import { batchCrc, baseOffset, nextOffset } from '../../src/record/record-batch.ts'
import { decodeOffsetCheckpoint } from '../../src/storage/offset-checkpoint.ts'
import { PartitionFiles } from '../../src/storage/partition-files.ts'
import { partitionFilesConfigOf } from '../../src/storage/partition-files-config.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { readGoldenLogDir } from '../protocol/golden-log-dir.ts'
import type { GoldenLogDir } from '../protocol/golden-log-dir.ts'
import { readReference } from '../protocol/schema-facts.ts'
import { batchesIn, filesOf, shownFiles } from './partition-fixture.ts'
import { openFiles } from './open-files.ts'

const clean = readGoldenLogDir('clean') ?? new Map<string, Uint8Array>()
const killed = readGoldenLogDir('after-kill') ?? new Map<string, Uint8Array>()
const partitions = [...new Set([...clean.keys()].flatMap((path) => (/^[^/]+-\d+(?=\/)/.exec(path) ?? []) as string[]))]
/** Records of `access` carry timestamps of 2015, so producers of that time would be forgotten today. */
const NOW_MS = 1_431_900_000_000

function configOf(partition: string): Record<string, string> {
  return {
    'retention.ms': '-1',
    'segment.bytes': '1048576',
    ...(/compacted|__consumer|__transaction/.test(partition) ? { 'cleanup.policy': 'compact' } : {}),
  }
}

function diskOf(which: GoldenLogDir, partition: string): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory(`/data/${partition}`, true)
  for (const [path, bytes] of which === 'clean' ? clean : killed) {
    if (!path.startsWith(`${partition}/`) || path.endsWith('/')) continue
    const file = disk.open(`/data/${path}`, 'create')
    file.write(bytes, 0, bytes.length, 0)
    file.close()
  }
  return disk
}

function recoveryPointOf(which: GoldenLogDir, partition: string): number {
  const name = 'recovery-point-offset-checkpoint'
  const text = Buffer.from((which === 'clean' ? clean : killed).get(name)!).toString('latin1')
  return decodeOffsetCheckpoint(name, text).find(({ topic, partition: index }) => `${topic}-${index}` === partition)?.offset ?? 0
}

function openGolden(disk: Disk, which: GoldenLogDir, partition: string, log: string[]): PartitionFiles {
  return openFiles({
    disk,
    directory: `/data/${partition}`,
    config: partitionFilesConfigOf(configOf(partition)),
    clock: new VirtualClock(NOW_MS),
    random: seededRandom(1),
    recoveryPoint: recoveryPointOf(which, partition),
    logStartOffset: 0,
    isClean: which === 'clean',
    hasRebooted: false,
    durableEnd: 0,
    log: (message) => log.push(message),
  })
}

const without = (files: Map<string, Uint8Array>, pattern: RegExp): Record<string, string> =>
  shownFiles(new Map([...files].filter(([name]) => !pattern.test(name))))

describe.skipIf(clean.size === 0)('a directory of Kafka', () => {
  test('the archives hold what their page says', () => {
    expect(partitions.length).toBeGreaterThan(10)
    expect([...killed.keys()].some((path) => path.endsWith('.deleted'))).toBe(true)
    expect(killed.get('access-0/00000000000000007974.index')!.length).toBe(10_485_760)
  })

  test.each(partitions)('%s after a clean stop: nothing is said, nothing but stray snapshots changes', (partition) => {
    const disk = diskOf('clean', partition)
    const before = without(filesOf(disk, `/data/${partition}`), /snapshot$/)
    const log: string[] = []
    const files = openGolden(disk, 'clean', partition, log)
    expect(files.close()).toBe(true)
    expect(log).toEqual([])
    expect(without(filesOf(disk, `/data/${partition}`), /snapshot$/)).toEqual(before)
  })

  test.each(partitions)('%s after a kill: its records, and the indexes of the clean one once it is closed', (partition) => {
    const disk = diskOf('after-kill', partition)
    const log: string[] = []
    const files = openGolden(disk, 'after-kill', partition, log)
    const again = disk.killState()
    openGolden(again, 'after-kill', partition, log)
    expect(shownFiles(filesOf(again, `/data/${partition}`))).toEqual(shownFiles(filesOf(disk, `/data/${partition}`)))
    expect(files.close()).toBe(true)
    expect(log).toEqual([])
    // What the stop itself wrote, and the epoch and snapshot of the start after the kill, are not there.
    const late = /^(leader-epoch-checkpoint|quorum-state|.*snapshot)$/
    const stopped = partition.startsWith('__cluster') ? /^(?!.*\.log$)/ : late
    const expected = without(filesOf(diskOf('clean', partition), `/data/${partition}`), stopped)
    const got = without(filesOf(disk, `/data/${partition}`), stopped)
    if (partition.startsWith('__cluster')) for (const [name, hex] of Object.entries(got)) expect(expected[name]!.startsWith(hex)).toBe(true)
    else expect(got).toEqual(expected)
  })

  test.each<[GoldenLogDir, string]>(
    partitions.flatMap((name): [GoldenLogDir, string][] => [
      ['clean', name],
      ['after-kill', name],
    ]),
  )('%s, %s: every batch of the dump is found where it says', (which, partition) => {
    const disk = diskOf(which, partition)
    const files = openGolden(disk, which, partition, [])
    const dump = readReference('golden/kafka-log-dir-clean.dump.txt.gz') ?? ''
    const sections = dump.split('\nDumping ').filter((part) => part.startsWith(`${partition}/`))
    let batches = 0
    for (const section of sections) {
      const base = Number(/\/(\d{20})\.log/.exec(section)![1])
      for (const [, first, last, position, crc] of section.matchAll(
        /^baseOffset: (\d+) lastOffset: (\d+) .* position: (\d+) .* crc: (\d+) /gm,
      )) {
        const place = { segment: base, position: Number(position), baseOffset: Number(first), lastOffset: Number(last) }
        expect(files.lookUp(Number(first))).toEqual(place)
        expect(files.lookUp(Number(last))).toEqual(place)
        const log = clean.get(`${partition}/${String(base).padStart(20, '0')}.log`)!
        expect(batchCrc(log, Number(position))).toBe(Number(crc))
        batches++
      }
    }
    expect(files.endOffset).toBeGreaterThanOrEqual(batches)
    if (/access|transacted|compacted|packed/.test(partition)) expect(batches).toBeGreaterThan(1)
  })

  test.each(['access-0', 'transacted-0', 'packed-0'])('%s written again is the same, byte for byte', (partition) => {
    const config = partitionFilesConfigOf(configOf(partition))
    const disk = new SimulatedDisk()
    disk.makeDirectory('/data')
    const files = PartitionFiles.create({
      disk,
      directory: `/data/${partition}`,
      config,
      clock: new VirtualClock(NOW_MS),
      random: seededRandom(1),
    })
    const expected = filesOf(diskOf('clean', partition), `/data/${partition}`)
    const logs = [...expected].filter(([name]) => name.endsWith('.log'))
    for (const [, bytes] of logs) {
      for (const one of batchesIn(bytes)) {
        // Kafka's broker was started with other settings before: its first segment ends where it says.
        if (partition === 'transacted-0' && baseOffset(one, 0) === 5) files.roll()
        files.append(one, 0, one.length)
      }
      expect(files.endOffset).toBe(nextOffset(batchesIn(bytes).at(-1)!, 0))
    }
    expect(files.close()).toBe(true)
    // The epoch of the start after the kill has no records; one id was not given here.
    const other = /^(leader-epoch-checkpoint|partition.metadata)$/
    expect(without(filesOf(disk, `/data/${partition}`), other)).toEqual(without(expected, other))
  })
})
