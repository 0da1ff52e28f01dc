// A directory of which one file is damaged, opened and read to its end: what is found, what is not
// served, and what is wrong with that.
//
// Holds: who reads is given a record as it was written, or is told which file is damaged, where, and
// what to do; a partition whose files are whole is served whatever befell others; what can be made
// again is, and then nothing is missing.

import type { Clock } from '../../src/clock.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Random } from '../../src/random.ts'
import { batchSizeInBytes, baseOffset, nextOffset } from '../../src/record/record-batch.ts'
import { decodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import { SegmentReader } from '../../src/storage/segment-reader.ts'
import { findOffsetByTimestamp } from '../../src/storage/segment-search.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { segmentFilesOf } from './disk-segment-files.ts'
import type { FileDamage } from './file-damages.ts'
import { IoWorld } from './io-world.ts'
import { appendOne } from './written-directory.ts'
import type { WrittenDirectory, WrittenPartition } from './written-directory.ts'

/**
 * What became of the damage. `refused`: the directory is not opened. `fenced`: the partition is not. `cut`: it was
 * taken for a torn tail. `found`: by who read it. `told`: something was made again, or left out, and a message says so.
 * `unseen`: all was there all the same.
 */
export type Outcome = 'refused' | 'fenced' | 'cut' | 'found' | 'told' | 'unseen'

export interface Verdict {
  readonly outcome: Outcome
  readonly faults: readonly string[]
}

/** An undamaged copy, opened under the same circumstances. */
export interface Baseline {
  readonly producers: ReadonlyMap<string, string>
}

export interface OpeningOptions {
  readonly bootId: string
  readonly random: Random
  readonly damage: FileDamage
  readonly baseline: Baseline
}

/** Timers that are due at once: nobody else changes the files meanwhile. */
const AT_ONCE: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  setTimer(_delayMs, callback) {
    queueMicrotask(callback)
    return { cancel: () => undefined }
  },
}

const TARGETS_THAT_REFUSE = ['metadata', 'meta.properties']
const CODES_AT_OPENING = [
  'KAFKA_STORAGE_ERROR',
  'UNSUPPORTED_VERSION',
  'INCONSISTENT_CLUSTER_ID',
  'INVALID_CONFIG',
  'INCONSISTENT_TOPIC_ID',
]

export function baselineOf(disk: SimulatedDisk, { partitions }: WrittenDirectory, bootId: string): Baseline {
  const world = new IoWorld(disk.killState(), { bootId })
  return { producers: new Map(partitions.map((one) => [one.name, producersOf(world, one)])) }
}

export async function openDamaged(disk: SimulatedDisk, written: WrittenDirectory, options: OpeningOptions): Promise<Verdict> {
  const { bootId, damage } = options
  let world: IoWorld
  try {
    world = new IoWorld(disk, { bootId })
  } catch (error) {
    const fault = faultOfRefusal(error, damage, CODES_AT_OPENING, [damage.path])
    // A version that is not ours may be a newer one: nothing of that directory is touched.
    const isNewer = error instanceof MillraceError && error.code === 'UNSUPPORTED_VERSION' && error.message.includes(damage.path)
    const isAllowed = isNewer || TARGETS_THAT_REFUSE.includes(damage.target)
    return { outcome: 'refused', faults: [...fault, ...(isAllowed ? [] : [`the directory is refused: ${String(error)}`])] }
  }
  return new Check(disk, written, world, options).run()
}

class Check {
  readonly #disk: SimulatedDisk
  readonly #written: WrittenDirectory
  readonly #world: IoWorld
  readonly #options: OpeningOptions
  readonly #faults: string[] = []
  #outcome: Outcome = 'unseen'

  constructor(disk: SimulatedDisk, written: WrittenDirectory, world: IoWorld, options: OpeningOptions) {
    this.#disk = disk
    this.#written = written
    this.#world = world
    this.#options = options
  }

  async run(): Promise<Verdict> {
    const { damage } = this.#options
    if (this.#world.messages.some((message) => message.includes(damage.path))) this.#outcome = 'told'
    for (const one of this.#written.partitions) await this.#checkPartition(one)
    if (this.#options.random.below(4) === 0) this.#goOn()
    return { outcome: this.#outcome, faults: this.#faults }
  }

  #fault(one: WrittenPartition, what: string): void {
    this.#faults.push(`${one.name}: ${what}`)
  }

  #isOwn({ path }: WrittenPartition): boolean {
    return this.#options.damage.path.startsWith(`${path}/`)
  }

  /** Whether bytes of the log itself are damaged: then, and only then, records may be refused. */
  #isLogDamaged(one: WrittenPartition): boolean {
    return this.#isOwn(one) && this.#options.damage.path.endsWith('.log')
  }

  async #checkPartition(one: WrittenPartition): Promise<void> {
    const { damage } = this.#options
    const image = this.#world.image.topic(one.topic)
    if (image?.partitions[one.partition] === undefined) return this.#fault(one, 'the topic is gone')
    const slot = this.#world.slot(one.topic, one.partition)
    if (this.#world.control(slot).haveFilesFailed) return this.#checkFence(one)
    const { startOffset, endOffset } = this.#world.log(slot)
    this.#checkEnd(one, endOffset)
    // Where the log begins is written in one place only: without it, more is there than before.
    const mayBeginBelow = damage.target === 'offset checkpoint'
    if (startOffset !== one.startOffset && !(mayBeginBelow && startOffset < one.startOffset))
      this.#fault(one, `begins at ${startOffset}, not at ${one.startOffset}`)
    await this.#readAll(one, startOffset, endOffset)
    await this.#readFromPlaces(one, startOffset, endOffset)
    await this.#lookTimesUp(one, startOffset, endOffset)
    const isWhole = endOffset === one.endOffset
    if (isWhole && producersOf(this.#world, one) !== this.#options.baseline.producers.get(one.name)) this.#fault(one, 'other producers')
  }

  #checkFence(one: WrittenPartition): void {
    const { damage } = this.#options
    this.#outcome = 'fenced'
    const message = this.#world.messages.find((each) => each.startsWith(`partition ${one.name} is fenced: `)) ?? ''
    const isNewer = damage.target === 'leader epochs' && message.includes('format version')
    const isAllowed = this.#isOwn(one) && (damage.path.endsWith('.log') || damage.target === 'topic id' || isNewer)
    if (!isAllowed) this.#fault(one, `is fenced, though no log of it is damaged: ${message}`)
    else this.#faults.push(...faultOfMessage(message, [one.path]))
  }

  #checkEnd(one: WrittenPartition, endOffset: number): void {
    if (endOffset === one.endOffset) return
    if (endOffset > one.endOffset) return this.#fault(one, `ends at ${endOffset}, and ${one.endOffset} was written`)
    if (!this.#isLogDamaged(one)) return this.#fault(one, `ends at ${endOffset}, not at ${one.endOffset}, though no log is damaged`)
    this.#outcome = 'cut'
    if (this.#written.isClean) this.#fault(one, `was cut to ${endOffset}, though it was closed`)
    if (endOffset < one.syncedEnd) this.#fault(one, `was cut to ${endOffset}, and all below ${one.syncedEnd} was synced`)
  }

  #reader(one: WrittenPartition, startOffset: number): SegmentReader {
    return new SegmentReader({
      files: segmentFilesOf(this.#disk),
      clock: AT_ONCE,
      directory: () => one.path,
      startOffset: () => startOffset,
    })
  }

  async #readAll(one: WrittenPartition, startOffset: number, endOffset: number): Promise<void> {
    const reader = this.#reader(one, startOffset)
    const maxBytes = 300 + this.#options.random.below(8_000)
    for (let next = startOffset; next < endOffset; ) next = await this.#readOnce(reader, one, next, endOffset, maxBytes)
    await reader.close()
  }

  /** As who seeks: also into the middle of batches. */
  async #readFromPlaces(one: WrittenPartition, startOffset: number, endOffset: number): Promise<void> {
    const { random } = this.#options
    for (let i = 0; i < 6 && startOffset < endOffset; i++) {
      const reader = this.#reader(one, startOffset)
      await this.#readOnce(reader, one, startOffset + random.below(endOffset - startOffset), endOffset, 1 + random.below(2_000))
      await reader.close()
    }
  }

  /** One read, held against what was written; where to go on. */
  async #readOnce(reader: SegmentReader, one: WrittenPartition, from: number, endOffset: number, maxBytes: number): Promise<number> {
    const target = { bytes: new Uint8Array(0), length: 0 }
    let next: number
    try {
      next = await reader.read(from, endOffset, target, maxBytes)
    } catch (error) {
      if (!this.#isLogDamaged(one)) this.#fault(one, `cannot be read at ${from}, though no log is damaged: ${String(error)}`)
      this.#faults.push(...faultOfRefusal(error, this.#options.damage, ['CORRUPT_MESSAGE', 'KAFKA_STORAGE_ERROR'], [one.path]))
      if (this.#outcome !== 'cut') this.#outcome = 'found'
      // Behind the batch that cannot be read.
      return one.batches.find((batch) => batch.nextOffset > from)?.nextOffset ?? endOffset
    }
    let expected = from
    for (let at = 0; at < target.length; at += batchSizeInBytes(target.bytes, at)) {
      const end = at + batchSizeInBytes(target.bytes, at)
      const offset = baseOffset(target.bytes, at)
      const batch = one.batches.find((each) => each.nextOffset > expected)
      if (batch === undefined || batch.baseOffset !== offset || batch.nextOffset !== nextOffset(target.bytes, at))
        this.#fault(one, `read at ${from}: a batch of ${offset} to ${nextOffset(target.bytes, at)}, where ${batch?.baseOffset} is`)
      else if (!isSame(batch.bytes, target.bytes.subarray(at, end))) this.#fault(one, `read at ${from}: other bytes at ${offset}`)
      expected = nextOffset(target.bytes, at)
    }
    if (next !== Math.max(expected, from) || next <= from) {
      this.#fault(one, `read at ${from}: goes on at ${next}, and what was given ends at ${expected}`)
      return endOffset
    }
    return next
  }

  async #lookTimesUp(one: WrittenPartition, startOffset: number, endOffset: number): Promise<void> {
    const { random, damage } = this.#options
    const records = one.records.filter(({ offset }) => offset >= startOffset && offset < endOffset)
    if (records.length === 0) return
    const files = segmentFilesOf(this.#disk)
    for (let i = 0; i < 4; i++) {
      const timestampMs = records[random.below(records.length)]!.timestampMs + random.below(3) - 1
      const expected = records.find((record) => record.timestampMs >= timestampMs)?.offset
      const search = { files, clock: AT_ONCE, directory: () => one.path, startOffset: () => startOffset, endOffset }
      try {
        const found = await findOffsetByTimestamp(search, timestampMs)
        if (found?.offset !== expected) this.#fault(one, `time ${timestampMs} is found at ${found?.offset}, not at ${expected}`)
      } catch (error) {
        if (!this.#isLogDamaged(one)) this.#fault(one, `no time is found, though no log is damaged: ${String(error)}`)
        this.#faults.push(...faultOfRefusal(error, damage, ['CORRUPT_MESSAGE', 'KAFKA_STORAGE_ERROR'], [one.path]))
      }
    }
  }

  /** Partitions that are served take more. */
  #goOn(): void {
    const { random } = this.#options
    for (const one of this.#written.partitions) {
      const slot = this.#world.slot(one.topic, one.partition)
      if (this.#world.control(slot).haveFilesFailed) continue
      const copy = { ...one, endOffset: this.#world.log(slot).endOffset, batches: [...one.batches], records: [...one.records] }
      appendOne(this.#world, slot, copy, random)
      this.#world.run()
      if (this.#world.log(slot).highWatermark !== copy.endOffset) this.#fault(one, 'takes nothing more')
    }
  }
}

function producersOf(world: IoWorld, one: WrittenPartition): string {
  const writer = world.opened.directories.held(world.slot(one.topic, one.partition))
  return writer === undefined ? 'no files' : JSON.stringify(decodeProducerSnapshot(one.path, writer.files.producerSnapshot()))
}

/** All but the first 16 bytes, which are not under the CRC: base offset, length (of `bytes`), leader epoch. */
function isSame(written: Uint8Array, read: Uint8Array): boolean {
  return written.length === read.length && Buffer.compare(written.subarray(16), read.subarray(16)) === 0
}

function faultOfRefusal(error: unknown, damage: FileDamage, codes: readonly string[], paths: readonly string[]): string[] {
  if (!(error instanceof MillraceError)) return [`not a typed error: ${(error as Error).stack}`]
  if (!codes.includes(error.code)) return [`${error.code} after a ${damage.kind}: ${error.message}`]
  return faultOfMessage(error.message, paths)
}

/** What a message of damage must say: which file, where, what to do. */
function faultOfMessage(message: string, paths: readonly string[]): string[] {
  const faults: string[] = []
  if (!paths.some((path) => message.includes(path))) faults.push(`no word of the file: ${message}`)
  // Version 0 of meta.properties is a format of Kafka's own.
  if (!/format version|with ZooKeeper|has topic id|byte \d+|\d+ bytes|line \d+|offset|found|missing|says/i.test(message))
    faults.push(`no word of the place: ${message}`)
  if (!/put back|put the file back|restore|delete|move|give|open it|keep/i.test(message)) faults.push(`no word of what to do: ${message}`)
  return faults
}
