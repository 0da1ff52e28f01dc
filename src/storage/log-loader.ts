// Opens what is on the disk of a partition: after a clean stop by a quick look, else by a scan of
// what may not have been synced (Kafka: LogLoader). Runs on the thread that opens the partition, or
// on one of a pool.
//
//   a segment that                                  is
//   was closed, or ends below the recovery point    looked at (segment-tail.ts); scanned where its
//                                                   indexes are not as they should be
//   ends at or behind it, or is the last            scanned, its CRCs from the recovery point on;
//                                                   its indexes are made again: from a resume point
//                                                   on, where there is one (resume-point.ts), else all
//
// Holds: opening again gives the same bytes, also after a crash in here. Nothing is cut unless
// torn-tail.ts says so, and nothing below the mark of what was synced.

import { basename, dirname } from 'node:path'
import type { MillraceError } from '../errors.ts'
import { looseLastOffset } from '../log/batch-walk.ts'
import { damagedFile } from './file-errors.ts'
import { endInterruptedWork } from './interrupted-files.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { EpochStart } from './leader-epoch-checkpoint.ts'
import { logFileName } from './log-file-names.ts'
import type { LogSegment } from './log-segment.ts'
import { LOG_START_CHECKPOINT } from './offset-checkpoint.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { PartitionFilesConfig } from './partition-files-config.ts'
import { decodeProducerSnapshot } from './producer-snapshot.ts'
import { keepSnapshots, loadProducers, writeSnapshot } from './producer-snapshots.ts'
import { ProducerTable } from './producer-table.ts'
import { isTrue, readAbortedBelow } from './resume-point.ts'
import type { ResumePoint } from './resume-point.ts'
import { removeSegment, truncateLog, writeIndexes } from './segment-repair.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { scanSegment } from './segment-scan.ts'
import type { ScanOptions, SegmentFault, SegmentScan } from './segment-scan.ts'
import { readSegmentTail } from './segment-tail.ts'
import type { SegmentTail } from './segment-tail.ts'
import { assertTorn, damagedLog, keepTornTail } from './torn-tail.ts'
import type { AbortedTransaction } from './transaction-index.ts'

export interface LoadOptions {
  readonly directory: PartitionDirectory
  readonly config: PartitionFilesConfig
  /** Now. */
  readonly nowMs: number
  /** All below was synced, when this was written down. */
  readonly recoveryPoint: number
  /** Where the log begins, as it was written down; undefined where it was not: then with its first segment. */
  readonly logStartOffset: number | undefined
  /** The partition was closed, and nothing was written since. */
  readonly isClean: boolean
  /** The machine was started again since it was written. To be so until all partitions are open. */
  readonly hasRebooted: boolean
  /** The mark of what was synced, beside the recovery point, as it is written down more often: a log that ends below it is damaged. */
  readonly durableEnd: number
  /** Below, compaction may have left holes. */
  readonly holesBelow: number
  /** What is known of the files below the recovery point; asked for only where the log was not closed and the machine went on. */
  readonly resumePoint: ResumePoint | undefined
  readonly log: (message: string) => void
}

export interface LoadedFiles {
  readonly segments: LogSegment[]
  /** Of the last segment. */
  readonly indexes: SegmentIndexes
  readonly epochs: LeaderEpochs
  readonly producers: ProducerTable
  /** Of the newest producer snapshot, -1 without one. */
  readonly snapshotOffset: number
  readonly startOffset: number
  readonly syncedEndOffset: number
  /** Whether the resume point was used. */
  readonly isResumed: boolean
}

interface Opened {
  readonly segment: LogSegment
  readonly indexes: SegmentIndexes
  readonly leaderEpoch: number
}

/** undefined when there is no segment, or all of them end below the log's start: then the log is empty, and begins anew there. */
export function loadFiles(options: LoadOptions): LoadedFiles | undefined {
  const { directory, config } = options
  const { segments: bases, snapshots } = endInterruptedWork(directory)
  const logStartOffset = options.logStartOffset ?? bases[0] ?? 0
  const mark = Math.max(options.durableEnd, options.recoveryPoint)
  const gone: number[] = []
  while (bases.length > 1 && bases[1]! <= logStartOffset) gone.push(bases.shift()!)
  const tails = bases.map((baseOffset, i) => {
    const next = bases[i + 1]
    const isQuick = options.isClean || (next !== undefined && next < options.recoveryPoint)
    const tail = isQuick ? readSegmentTail(directory, baseOffset, config.indexIntervalBytes) : undefined
    // A log that was closed ends where it was closed.
    const isElsewhere = next === undefined && mark > 0 && tail?.segment.endOffset !== mark
    return isElsewhere ? undefined : tail
  })
  const resumePoint = usableResumePoint(options, bases, tails)
  const firstScan = tails.indexOf(undefined)
  const stateNeeded = firstScan < 0 ? (tails.at(-1)?.segment.endOffset ?? 0) : bases[firstScan]!
  const { nowMs } = options
  const loaded =
    resumePoint === undefined
      ? loadProducers(directory, snapshots, stateNeeded, nowMs, config.producerIdExpirationMs, options.log)
      : { producers: producersOf(directory, resumePoint, nowMs, config.producerIdExpirationMs), offset: resumePoint.endOffset }
  const loader = new Loader({ ...options, logStartOffset, resumePoint }, mark, bases, tails, loaded.producers, loaded.offset)
  const opened = loader.openSegments()
  const endOffset = opened.at(-1)?.segment.endOffset ?? -1
  // Only a power cut takes the end of a log of which a later start was written down.
  if (opened.length > 0 && endOffset < logStartOffset && !options.hasRebooted) throw startBehindEnd(directory, logStartOffset, endOffset)
  for (const baseOffset of gone) removeSegment(directory, baseOffset)
  if (endOffset < logStartOffset) {
    for (const { segment } of opened.reverse()) removeSegment(directory, segment.baseOffset)
    keepSnapshots(directory, [], -1, -1)
    return undefined
  }
  const segments = opened.map(({ segment }) => segment)
  const startOffset = Math.max(logStartOffset, segments[0]!.baseOffset)
  return {
    segments,
    indexes: opened.at(-1)!.indexes,
    epochs: loader.epochs(startOffset, endOffset),
    producers: loaded.producers,
    snapshotOffset: keepSnapshots(
      directory,
      segments.map(({ baseOffset }) => baseOffset),
      endOffset,
      loaded.offset,
    ),
    startOffset,
    syncedEndOffset: options.isClean ? endOffset : Math.min(endOffset, Math.max(options.recoveryPoint, startOffset)),
    isResumed: resumePoint !== undefined,
  }
}

function startBehindEnd({ path }: PartitionDirectory, logStartOffset: number, endOffset: number): MillraceError {
  const found = `${logStartOffset} as the start of ${basename(path)}, which ends at ${endOffset}`
  return damagedFile(`${dirname(path)}/${LOG_START_CHECKPOINT}`, found, 'Write the right offset there, or take the line out.')
}

/** Undefined where files were cut or exchanged since, where it tells of more than was synced, and where nothing is to be scanned. */
function usableResumePoint(
  { directory, isClean, hasRebooted, recoveryPoint, resumePoint: point }: LoadOptions,
  bases: readonly number[],
  tails: readonly (SegmentTail | undefined)[],
): ResumePoint | undefined {
  if (point === undefined || isClean || hasRebooted || point.endOffset > recoveryPoint) return undefined
  const at = bases.indexOf(point.baseOffset)
  return at >= 0 && tails[at] === undefined && isTrue(directory, point) ? point : undefined
}

function producersOf(directory: PartitionDirectory, { producers: bytes }: ResumePoint, nowMs: number, expirationMs: number): ProducerTable {
  const producers = new ProducerTable(decodeProducerSnapshot(`the resume point of ${directory.path}`, bytes))
  producers.expire(nowMs, expirationMs)
  return producers
}

class Loader {
  readonly #options: LoadOptions & { readonly logStartOffset: number }
  /** All below was synced. */
  readonly #mark: number
  readonly #bases: readonly number[]
  readonly #tails: readonly (SegmentTail | undefined)[]
  readonly #producers: ProducerTable
  /** All below is in the producer state already. */
  readonly #stateOffset: number
  readonly #epochs: EpochStart[] = []
  #leaderEpoch = -1

  constructor(
    options: LoadOptions & { readonly logStartOffset: number },
    mark: number,
    bases: readonly number[],
    tails: readonly (SegmentTail | undefined)[],
    producers: ProducerTable,
    stateOffset: number,
  ) {
    this.#options = options
    this.#mark = mark
    this.#bases = bases
    this.#tails = tails
    this.#producers = producers
    this.#stateOffset = stateOffset
  }

  openSegments(): Opened[] {
    const { holesBelow, directory, logStartOffset } = this.#options
    const opened: Opened[] = []
    // A log may begin above what was written down of it, where retention was not: but not above what was synced.
    const first = this.#bases[0] ?? logStartOffset
    let expectedOffset = first <= Math.max(logStartOffset, this.#mark) ? first : logStartOffset
    for (const [i, baseOffset] of this.#bases.entries()) {
      const follows = baseOffset === expectedOffset || (baseOffset > expectedOffset && baseOffset <= holesBelow)
      if (!follows) {
        this.#cut({ kind: 'out of order', position: 0, offset: expectedOffset }, i, true)
        break
      }
      const tail = this.#tails[i]
      const one = tail === undefined ? this.#scan(i, baseOffset) : this.#trust(tail)
      opened.push(one)
      this.#leaderEpoch = Math.max(this.#leaderEpoch, one.leaderEpoch)
      expectedOffset = one.segment.endOffset
      if ('wasCut' in one) break
    }
    if (expectedOffset < this.#mark) {
      const last = opened.at(-1)
      const fault: SegmentFault = { kind: 'cut short', position: last?.segment.sizeInBytes ?? 0, offset: expectedOffset }
      throw damagedLog(
        directory,
        { fault, segments: [last?.segment.baseOffset ?? expectedOffset] },
        `and all below ${this.#mark} was synced`,
      )
    }
    return opened
  }

  epochs(startOffset: number, endOffset: number): LeaderEpochs {
    const { directory, log } = this.#options
    const inFile = LeaderEpochs.read(directory, (error) => log(`${error.message} It is made again.`))
    const epochs = new LeaderEpochs(directory, inFile)
    epochs.cutEnd(endOffset)
    epochs.assignAll(inFile === undefined ? this.#epochsOfBatches(endOffset) : this.#epochs)
    epochs.cutStart(startOffset)
    return epochs
  }

  #epochsOfBatches(endOffset: number): EpochStart[] {
    const found: EpochStart[] = []
    let leaderEpoch = -1
    for (const baseOffset of this.#bases) {
      if (baseOffset >= endOffset) break
      const scan = this.#walk(baseOffset, { leaderEpoch })
      leaderEpoch = scan.leaderEpoch
      found.push(...scan.epochs)
    }
    return found
  }

  #trust(tail: SegmentTail): Opened {
    const { segment, indexState, leaderEpoch } = tail
    if (segment.endOffset > this.#stateOffset) {
      const { fault } = this.#walk(segment.baseOffset, { crcFrom: this.#stateOffset, onBatch: this.#noteProducer })
      if (fault !== undefined) {
        throw damagedLog(this.#options.directory, { fault, segments: [segment.baseOffset] }, 'before batches that were synced')
      }
    }
    const indexes = new SegmentIndexes(segment.baseOffset, this.#options.config.indexIntervalBytes, indexState)
    return { segment, indexes, leaderEpoch }
  }

  #scan(i: number, baseOffset: number): Opened {
    const { directory, isClean, recoveryPoint, holesBelow } = this.#options
    const isLast = i === this.#bases.length - 1
    const isBehindRecoveryPoint = !isClean && (isLast || this.#bases[i + 1]! >= recoveryPoint)
    if (i > 0 && baseOffset > this.#stateOffset) writeSnapshot(directory, baseOffset, this.#producers)
    const { resumePoint } = this.#options
    const from = isBehindRecoveryPoint && resumePoint?.baseOffset === baseOffset ? resumePoint : undefined
    const aborted: AbortedTransaction[] = from === undefined ? [] : readAbortedBelow(directory, from)
    const scan = this.#walk(baseOffset, {
      ...(from === undefined ? {} : { from }),
      // What is said of producers is believed from here on, so it is looked at below the recovery point too.
      crcFrom: isBehindRecoveryPoint ? Math.min(recoveryPoint, this.#stateOffset) : 0,
      leaderEpoch: this.#leaderEpoch,
      // Offsets are not under the CRC: in a log that was closed none lies behind a hole that was not there then.
      holesBelow: isClean && this.#mark > 0 ? Math.min(holesBelow, this.#mark) : holesBelow,
      onBatch: (bytes, at, size) => {
        const transaction = this.#noteProducer(bytes, at, size)
        if (transaction !== undefined) aborted.push(transaction)
      },
    })
    this.#epochs.push(...scan.epochs)
    const isSealed = !isLast && scan.fault === undefined
    const { fault } = scan
    if (fault !== undefined) this.#cut(fault, i, false)
    if (isBehindRecoveryPoint) directory.markUnsynced(logFileName(baseOffset, 'log'))
    const segment = writeIndexes(directory, baseOffset, scan, aborted, {
      isSealed,
      isDurable: !isBehindRecoveryPoint,
      ...(from === undefined ? {} : { kept: from }),
    })
    const opened: Opened = { segment, indexes: scan.indexes, leaderEpoch: scan.leaderEpoch }
    return fault === undefined ? opened : Object.assign(opened, { wasCut: true })
  }

  #walk(baseOffset: number, options: Partial<ScanOptions>): SegmentScan {
    const { directory, config } = this.#options
    const file = directory.read(logFileName(baseOffset, 'log'))
    try {
      return scanSegment(file, {
        baseOffset,
        crcFrom: Number.POSITIVE_INFINITY,
        holesBelow: Number.POSITIVE_INFINITY,
        indexIntervalBytes: config.indexIntervalBytes,
        ...options,
      })
    } finally {
      file.close()
    }
  }

  readonly #noteProducer = (bytes: Uint8Array, at: number, sizeInBytes: number): AbortedTransaction | undefined =>
    looseLastOffset(bytes, at) >= this.#stateOffset ? this.#producers.append(bytes, at, sizeInBytes) : undefined

  /** The log ends with the fault, or this throws. `isWhole`: the segment with the fault goes too. */
  #cut(fault: SegmentFault, from: number, isWhole: boolean): void {
    const { directory, log } = this.#options
    const segments = this.#bases.slice(from)
    assertTorn(directory, { fault, segments }, { ...this.#options, mark: this.#mark })
    const message = keepTornTail(directory, { fault, segments })
    // The last first: what is left after a crash in between is cut again.
    for (const baseOffset of segments.slice(isWhole ? 0 : 1).reverse()) removeSegment(directory, baseOffset)
    directory.syncNames()
    if (!isWhole) truncateLog(directory, segments[0]!, fault.position)
    log(message)
  }
}
