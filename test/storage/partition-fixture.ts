// A partition on a simulated disk, and batches for it.

import { VirtualClock } from '../../src/clock.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { seededRandom } from '../../src/random.ts'
import { MAX_TIMESTAMP, PRODUCER_ID } from '../../src/record/record-batch-layout.ts'
import { batchSizeInBytes, stampBatch, stampProducer, writeCrc, writeInt64 } from '../../src/record/record-batch.ts'
import { PartitionFiles } from '../../src/storage/partition-files.ts'
import { partitionFilesConfigOf } from '../../src/storage/partition-files-config.ts'
import type { PartitionFilesConfig } from '../../src/storage/partition-files-config.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { fillBatch } from '../log/pattern-batches.ts'
import { openFiles } from './open-files.ts'
import type { OpenFilesOptions } from './open-files.ts'

export const DATA = '/data'
export const DIRECTORY = '/data/t-0'

export interface TestBatch {
  readonly offset: number
  readonly records?: number
  readonly sizeInBytes?: number
  readonly epoch?: number
  readonly timestampMs?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly sequence?: number
}

/** A batch with a right CRC, its body made from its offset. */
export function batch(options: TestBatch): Uint8Array<ArrayBuffer> {
  const { offset, records = 1, sizeInBytes = 200, epoch = 0, timestampMs = 1_000 + offset } = options
  const bytes = new Uint8Array(sizeInBytes)
  fillBatch(bytes, 0, { number: offset, sizeInBytes, records })
  stampBatch(bytes, 0, offset, epoch)
  writeInt64(bytes, MAX_TIMESTAMP, timestampMs)
  if (options.producerId === undefined) writeInt64(bytes, PRODUCER_ID, -1)
  else stampProducer(bytes, 0, options.producerId, options.producerEpoch ?? 0, options.sequence ?? 0)
  writeCrc(bytes, 0, sizeInBytes)
  return bytes
}

export function joined(...batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(batches.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const one of batches) {
    all.set(one, at)
    at += one.length
  }
  return all
}

export function append(files: PartitionFiles, ...batches: readonly Uint8Array[]): void {
  const all = joined(...batches)
  files.append(all, 0, all.length)
}

export const CONFIG: PartitionFilesConfig = {
  ...partitionFilesConfigOf({ 'retention.ms': '-1' }),
  segmentBytes: 1_000,
  indexIntervalBytes: 300,
  // Batches of tests are as old as the clock of the world.
  producerIdExpirationMs: Number.MAX_SAFE_INTEGER,
}

export function newDisk(): SimulatedDisk {
  const disk = new SimulatedDisk()
  disk.makeDirectory(DATA)
  disk.syncDirectory('/')
  return disk
}

export function create(disk: Disk, config: Partial<PartitionFilesConfig> = {}): PartitionFiles {
  return PartitionFiles.create({
    disk,
    directory: DIRECTORY,
    topicId: [1, 2, 3, 4],
    config: { ...CONFIG, ...config },
    clock: new VirtualClock(),
    random: seededRandom(1),
  })
}

type OpenOverrides = Partial<Omit<OpenFilesOptions, 'config'>> & { readonly config?: Partial<PartitionFilesConfig> }

/** After a kill by default, with nothing known to be synced. */
export function open(disk: Disk, { config, ...overrides }: OpenOverrides = {}): PartitionFiles {
  return openFiles({
    disk,
    directory: DIRECTORY,
    topicId: [1, 2, 3, 4],
    config: { ...CONFIG, ...config },
    clock: new VirtualClock(),
    random: seededRandom(1),
    recoveryPoint: 0,
    logStartOffset: 0,
    isClean: false,
    hasRebooted: false,
    durableEnd: 0,
    ...overrides,
  })
}

/** All files of a directory by name. */
export function filesOf(disk: Disk, directory = DIRECTORY): Map<string, Uint8Array> {
  return new Map(disk.list(directory).map((name) => [name, readWhole(disk, `${directory}/${name}`, 2 ** 30)]))
}

/** The bytes of all .log files, one behind the other. */
export function logBytes(disk: Disk, directory = DIRECTORY): Uint8Array {
  return joined(...[...filesOf(disk, directory)].filter(([name]) => name.endsWith('.log')).map(([, bytes]) => bytes))
}

export function batchesIn(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = batchSizeInBytes(bytes, at)
    batches.push(bytes.subarray(at, at + size))
    at += size
  }
  return batches
}

/** Hex of each file, for comparing. */
export function shownFiles(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]))
}
