// A data directory that was written and left, on a simulated disk, and all that is in it: what a
// reader of a damaged copy must be given, or be told of.

import type { Random } from '../../src/random.ts'
import { compressBatch } from '../../src/record/batch-compression.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { readPartition } from './directory-reader.ts'
import { DATA_DIR, IoWorld } from './io-world.ts'

export const BROKER_DIR = `${DATA_DIR}/broker-0`

const TOPICS = [
  { name: 'cache', durability: 'cache', partitions: 2 },
  { name: 'disk', durability: 'disk', partitions: 2 },
] as const
const SEGMENT_BYTES = 12_000
const CONFIG = { 'segment.bytes': String(SEGMENT_BYTES), 'index.interval.bytes': '700', 'file.delete.delay.ms': '0' }

export interface WrittenRecord {
  readonly offset: number
  readonly timestampMs: number
}

export interface WrittenBatch {
  readonly baseOffset: number
  readonly nextOffset: number
  /** As it was handed to the log: all but the base offset and the leader epoch, which are not under the CRC, is as it must be read. */
  readonly bytes: Uint8Array
}

export interface WrittenPartition {
  readonly topic: string
  readonly partition: number
  /** `topic-0` */
  readonly name: string
  readonly path: string
  startOffset: number
  endOffset: number
  /** What no power cut may take. */
  syncedEnd: number
  readonly batches: WrittenBatch[]
  readonly records: WrittenRecord[]
  /** By producer id: the last sequence number. */
  readonly sequences: Map<number, number>
}

export interface WrittenDirectory {
  readonly disk: SimulatedDisk
  /** It was closed in order; otherwise its process was killed. */
  readonly isClean: boolean
  readonly partitions: readonly WrittenPartition[]
  /** What files held at a time before. */
  readonly olderFiles: readonly ReadonlyMap<string, Uint8Array>[]
}

export function writeDirectory(random: Random): WrittenDirectory {
  const partitions = TOPICS.flatMap(({ name, partitions: count }) => Array.from({ length: count }, (_, i) => newPartition(name, i)))
  const olderFiles: ReadonlyMap<string, Uint8Array>[] = []
  let disk = new SimulatedDisk()
  let isClean = false
  const generations = 2 + random.below(2)
  for (let generation = 0; generation < generations; generation++) {
    const world = new IoWorld(disk, { seed: random.uint32() })
    const isLast = generation === generations - 1
    work(world, partitions, random)
    isClean = random.below(2) === 0
    if (!isLast || isClean) olderFiles.push(filesIn(disk, BROKER_DIR))
    if (isClean) world.io.close()
    for (const one of partitions) {
      const slot = world.slot(one.topic, one.partition)
      one.syncedEnd = isClean ? one.endOffset : world.control(slot).syncedEndOffset
      one.startOffset = world.log(slot).startOffset
    }
    disk = disk.killState()
  }
  for (const one of partitions) checkWritten(disk, one)
  return { disk, isClean, partitions, olderFiles }
}

function newPartition(topic: string, partition: number): WrittenPartition {
  const name = `${topic}-${partition}`
  return {
    topic,
    partition,
    name,
    path: `${BROKER_DIR}/${name}`,
    startOffset: 0,
    endOffset: 0,
    syncedEnd: 0,
    batches: [],
    records: [],
    sequences: new Map(),
  }
}

function work(world: IoWorld, partitions: readonly WrittenPartition[], random: Random): void {
  for (const { name, durability, partitions: count } of TOPICS) {
    if (world.image.topic(name) === undefined) world.createTopic(name, { ...CONFIG, 'millrace.durability': durability }, count)
  }
  for (let round = 0; round < 8; round++) {
    for (const one of partitions) {
      const slot = world.slot(one.topic, one.partition)
      for (let i = random.below(7); i > 0; i--) appendOne(world, slot, one, random)
    }
    world.clock.advance(random.below(50))
    world.run()
    // Now and then, as a flush of what is not synced otherwise.
    if (random.below(6) === 0) for (const writer of world.opened.directories.writers()) world.opened.directories.sync(writer)
  }
  const one = partitions[random.below(partitions.length)]!
  const slot = world.slot(one.topic, one.partition)
  if (random.below(2) === 0) world.log(slot).deleteRecordsBefore(Math.floor(world.log(slot).highWatermark * 0.4))
  world.run()
  world.clock.advance(2_000)
  world.run()
}

/** Appends a batch of this partition; it is part of what must be found. */
export function appendOne(world: IoWorld, slot: number, one: WrittenPartition, random: Random): void {
  const count = 1 + random.below(6)
  const builder = new RecordBatchBuilder(16_384)
  const timestamps: number[] = []
  for (let i = 0; i < count; i++) {
    const value = new Uint8Array(random.below(random.below(4) === 0 ? 900 : 120))
    for (let at = 0; at < value.length; at++) value[at] = random.below(12)
    const timestampMs = world.clock.nowMs() + one.endOffset * 3 - random.below(40)
    timestamps.push(timestampMs)
    builder.append(timestampMs, random.below(2) === 0 ? null : Uint8Array.of(i, random.below(256)), value, null)
  }
  const isIdempotent = random.below(3) === 0
  const producerId = random.below(3)
  const baseSequence = (one.sequences.get(producerId) ?? -1) + 1
  const size = builder.seal({ withCrc: true, ...(isIdempotent ? { producerId, producerEpoch: 0, baseSequence } : {}) })
  const plain = builder.bytes.slice(0, size)
  const type = random.below(3) === 0 ? 1 + random.below(4) : 0
  const bytes = type === 0 ? plain : compressBatch(plain, 0, size, { type, level: type === 4 ? 3 : type === 1 ? 6 : 9 }, { withCrc: true })
  const offset = world.appendBatch(slot, bytes)
  if (offset !== one.endOffset) throw new Error(`${one.name} takes a batch at ${offset}, and ended at ${one.endOffset}`)
  if (isIdempotent) one.sequences.set(producerId, baseSequence + count - 1)
  one.endOffset = offset + count
  one.batches.push({ baseOffset: offset, nextOffset: one.endOffset, bytes })
  for (const [i, timestampMs] of timestamps.entries()) one.records.push({ offset: offset + i, timestampMs })
}

/** The directory holds what was written: the check of the check. */
function checkWritten(disk: Disk, { path, batches, endOffset }: WrittenPartition): void {
  const found = readPartition(disk, path)
  const first = found[0]?.baseOffset ?? endOffset
  const expected = batches.filter(({ baseOffset }) => baseOffset >= first)
  if (found.length !== expected.length || found.some(({ baseOffset }, i) => baseOffset !== expected[i]!.baseOffset))
    throw new Error(`${path} holds ${found.length} batches from ${first} on, and ${expected.length} were written`)
}

/** All files below a directory, by path. */
export function filesIn(disk: Disk, directory: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (disk.stat(path).isDirectory) for (const [each, bytes] of filesIn(disk, path)) files.set(each, bytes)
    else files.set(path, readWhole(disk, path, 2 ** 30))
  }
  return files
}
