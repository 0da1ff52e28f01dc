// A partition that is written to by chance, on a disk that stops or fails as planned, with a model of
// what was appended, and a check of what is found after.

import { expect } from 'vitest'
import type { Random } from '../../src/random.ts'
import { seededRandom } from '../../src/random.ts'
import { baseOffset, nextOffset } from '../../src/record/record-batch.ts'
import type { PartitionFiles } from '../../src/storage/partition-files.ts'
import { decodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import type { ProducerSnapshotEntry } from '../../src/storage/producer-snapshot.ts'
import type { ResumePoint } from '../../src/storage/resume-point.ts'
import type { DiskFault } from '../disk/disk-faults.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { append, batch, batchesIn, create, filesOf, logBytes, newDisk, open, shownFiles } from './partition-fixture.ts'

export type WorldMistake = 'sync-says-more' | 'append-says-more'

export class PartitionWorld {
  readonly disk: SimulatedDisk
  /** All that was ever handed to `append`, in order. */
  readonly batches: Uint8Array[] = []
  /** What returned calls promise. */
  appendedEnd = 0
  syncedEnd = 0
  /** What the caller of the files writes down: it may lag by one sync. */
  mark = 0
  startOffset = 0
  /** As the I/O thread keeps it. */
  resumePoint: ResumePoint | undefined
  files: PartitionFiles | undefined
  /** By how many batches are kept: what a partition of these alone says of its producers. */
  readonly producersOf = new Map<number, readonly ProducerSnapshotEntry[]>()
  readonly #random: Random
  readonly #sequences = new Map<number, number>()
  #end = 0
  #epoch = 0
  #nowMs = 0

  constructor(seed: number, faults: readonly DiskFault[] = []) {
    this.disk = newDisk()
    this.disk.plan(faults)
    this.#random = seededRandom(seed)
  }

  /** Runs until it is through or something throws; what was thrown. */
  run(actions: number): unknown {
    try {
      this.files = create(this.disk, { segmentBytes: 1_500, fileDeleteDelayMs: 5 })
      for (let i = 0; i < actions; i++) this.#act(this.files)
      return undefined
    } catch (error) {
      return error
    }
  }

  #act(files: PartitionFiles): void {
    const random = this.#random
    const choice = random.below(20)
    this.#nowMs++
    if (choice < 11) this.#append(files)
    else if (choice < 15) {
      const lagging = this.syncedEnd
      files.sync()
      this.syncedEnd = this.appendedEnd
      this.mark = random.below(2) === 0 ? lagging : this.syncedEnd
      if (random.below(3) > 0) this.resumePoint = files.resumePoint() ?? this.resumePoint
    } else if (choice === 15) files.roll()
    else if (choice === 16) this.#advance(files)
    else if (choice === 17) files.removeDue(this.#nowMs)
    else if (choice === 18) files.closeFiles()
    else files.assignEpoch(++this.#epoch)
  }

  #append(files: PartitionFiles): void {
    const random = this.#random
    const run: Uint8Array[] = []
    for (let count = 1 + random.below(4); count > 0; count--) {
      const records = 1 + random.below(3)
      const producerId = random.below(3)
      const sequence = this.#sequences.get(producerId) ?? 0
      if (random.below(12) === 0) this.#epoch++
      const sizeInBytes = 70 + random.below(700)
      run.push(
        batch({ offset: this.#end, records, sizeInBytes, epoch: this.#epoch, producerId, sequence, timestampMs: random.below(10_000) }),
      )
      this.#sequences.set(producerId, sequence + records)
      this.#end += records
    }
    this.batches.push(...run)
    append(files, ...run)
    this.appendedEnd = this.#end
  }

  #advance(files: PartitionFiles): void {
    const { segments } = files
    // Only what is synced goes: the log is read from memory until then.
    const start = segments[this.#random.below(segments.length)]!.baseOffset
    if (start > this.syncedEnd || start <= this.startOffset) return
    this.startOffset = start
    files.advanceStart(start, this.#nowMs)
  }
}

export interface CrashKindOfWorld {
  readonly hasRebooted: boolean
  /** What must be there. */
  readonly promisedEnd: number
}

/** Opens what is left and holds it against the model; throws what is wrong with it. */
export function checkRecovered(world: PartitionWorld, disk: SimulatedDisk, { hasRebooted, promisedEnd }: CrashKindOfWorld): number {
  const { resumePoint } = world
  const options = { hasRebooted, durableEnd: world.mark, recoveryPoint: world.mark, logStartOffset: world.startOffset, resumePoint }
  const without = hasRebooted ? undefined : shown(disk.killState(), { ...options, resumePoint: undefined })
  const files = open(disk, options)
  if (without !== undefined) expect(told(files, disk)).toEqual(without)
  const once = shownFiles(filesOf(disk))
  const { endOffset, startOffset } = files
  if (endOffset < promisedEnd) throw new Error(`ends at ${endOffset}, promised was ${promisedEnd}`)
  if (startOffset !== world.startOffset) throw new Error(`begins at ${startOffset}, not ${world.startOffset}`)

  const kept = world.batches.filter((one) => nextOffset(one, 0) <= endOffset)
  const there = batchesIn(logBytes(disk))
  const firstThere = there.length === 0 ? endOffset : baseOffset(there[0]!, 0)
  if (firstThere > startOffset) throw new Error(`the first batch is ${firstThere}, and the log begins at ${startOffset}`)
  const expected = kept.filter((one) => baseOffset(one, 0) >= firstThere)
  if (Buffer.compare(Buffer.concat(there), Buffer.concat(expected)) !== 0) throw new Error('other bytes than were appended')

  for (const one of expected) {
    if (baseOffset(one, 0) < startOffset) continue
    const place = files.lookUp(baseOffset(one, 0))
    if (place?.baseOffset !== baseOffset(one, 0)) throw new Error(`offset ${baseOffset(one, 0)} is looked for at ${place?.position}`)
  }
  checkProducers(world, files)
  checkEpochs(kept, files)

  open(disk, options)
  const twice = shownFiles(filesOf(disk))
  const changed = [...new Set([...Object.keys(once), ...Object.keys(twice)])].filter((name) => once[name] !== twice[name])
  if (changed.length > 0)
    throw new Error(`opened twice, these changed: ${changed.map((name) => `${name} ${once[name]} -> ${twice[name]}`).join()}`)
  // It goes on from there, and stops cleanly.
  const more = open(disk, options)
  append(more, batch({ offset: endOffset, epoch: 1_000 }))
  if (!more.close()) throw new Error('no clean stop')
  const log: string[] = []
  const closed = open(disk, { ...options, isClean: true, recoveryPoint: endOffset + 1, log: (message) => log.push(message) })
  if (closed.endOffset !== endOffset + 1 || log.length > 0) throw new Error(`opened as closed: ${log.join()}`)
  return endOffset
}

function shown(disk: SimulatedDisk, options: Parameters<typeof open>[1]): unknown {
  return told(open(disk, options), disk)
}

/** What a log says of itself, however it was recovered. */
function told(files: PartitionFiles, disk: SimulatedDisk): unknown {
  const { startOffset, endOffset, syncedEndOffset, leaderEpochs, segments } = files
  const sizes = segments.map(({ baseOffset: base, sizeInBytes, firstTimestampMs, maxTimestampMs }) => [
    base,
    sizeInBytes,
    firstTimestampMs,
    maxTimestampMs,
  ])
  const bytes = Buffer.from(logBytes(disk)).toString('hex')
  const aside = [...filesOf(disk).keys()].filter((name) => name.includes('.torn'))
  return { startOffset, endOffset, syncedEndOffset, leaderEpochs, sizes, producers: Buffer.from(files.producerSnapshot()), bytes, aside }
}

// Of producers whose last batch retention took, a snapshot may or may not tell.
function checkProducers(world: PartitionWorld, files: PartitionFiles): void {
  const kept = world.batches.filter((one) => nextOffset(one, 0) <= files.endOffset)
  const shown = (bytes: Uint8Array): ProducerSnapshotEntry[] =>
    decodeProducerSnapshot('', bytes).filter(({ lastOffset }) => lastOffset >= world.startOffset)
  const expected = world.producersOf.get(kept.length) ?? shown(snapshotOf(kept))
  world.producersOf.set(kept.length, expected)
  expect(shown(files.producerSnapshot())).toEqual(expected)
}

function snapshotOf(batches: readonly Uint8Array[]): Uint8Array {
  const files = create(newDisk())
  if (batches.length > 0) append(files, ...batches)
  return files.producerSnapshot()
}

// Epochs of leaders that appended nothing may be there too.
function checkEpochs(kept: readonly Uint8Array[], files: PartitionFiles): void {
  const epochs = files.leaderEpochs
  for (const one of kept) {
    const offset = baseOffset(one, 0)
    if (offset < files.startOffset) continue
    const epoch = epochs.findLast(({ startOffset }) => startOffset <= offset)
    const stamped = new DataView(one.buffer, one.byteOffset).getInt32(12)
    if (epoch?.epoch !== stamped) throw new Error(`offset ${offset} has epoch ${stamped}, the file says ${JSON.stringify(epochs)}`)
  }
}
