// A disk in memory that fails as planned, and tells what a killed process or a power cut leaves of it.
// The same seed, calls and plan give the same states; what it does under its calls: simulated-calls.ts.

import { CheckedDisk } from '../../src/disk/checked-disk.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { seededRandom } from '../../src/random.ts'
import { crashPlans, imageAfterCrash } from './crash-states.ts'
import type { CrashKind, CrashOptions } from './crash-states.ts'
import { FaultPlan } from './disk-faults.ts'
import type { CallName, DiskFault } from './disk-faults.ts'
import { pagesAfter, readPages } from './disk-image.ts'
import type { DiskImage } from './disk-image.ts'
import { SimulatedCalls } from './simulated-calls.ts'
import { applyOp, UnsyncedJournal } from './unsynced-journal.ts'
import type { UnsyncedOp } from './unsynced-journal.ts'

export interface SimulatedDiskOptions {
  /** Default: none. */
  readonly faults?: readonly DiskFault[]
  /** Room for pages of files, in bytes; default: no bound. */
  readonly capacityBytes?: number
  /** What files are told to have been modified at; default: always 1. */
  readonly nowMs?: () => number
}

/** A state that a power cut may leave, as a disk of its own. */
export interface CrashState {
  readonly kind: CrashKind
  readonly description: string
  readonly disk: SimulatedDisk
}

export class SimulatedDisk extends CheckedDisk {
  readonly #calls: SimulatedCalls

  constructor(options: SimulatedDiskOptions = {}, calls = new SimulatedCalls(options.nowMs ?? (() => 1))) {
    super(calls)
    this.#calls = calls
    if (options.capacityBytes !== undefined) calls.capacityBytes = options.capacityBytes
    if (options.faults !== undefined) this.plan(options.faults)
  }

  /** From now on these faults and no others; counting starts anew. */
  plan(faults: readonly DiskFault[]): void {
    this.#calls.faults = new FaultPlan(faults)
  }

  /** How often each call of the system was made since the plan. */
  get calls(): ReadonlyMap<CallName, number> {
    return this.#calls.faults.counts
  }

  /** How many of them failed, were short, or stopped. */
  get faultsBitten(): number {
    return this.#calls.faults.bitten
  }

  get unbitten(): DiskFault[] {
    return this.#calls.faults.unbitten
  }

  /** Whether a `stop` has bitten. */
  get stopped(): boolean {
    return this.#calls.stopped
  }

  set capacityBytes(bytes: number) {
    this.#calls.capacityBytes = bytes
  }

  /** Operations that a power cut may take. */
  get unsyncedOperations(): number {
    return this.#calls.journal.ops.length
  }

  /** Bytes of the write in which a `stop` ended the process, 0 where it was another call: it may be cut anywhere. */
  get cutWriteBytes(): number {
    return this.#calls.cutWrite?.op.lengthInBytes ?? 0
  }

  /** Ends the syncs that were started; their number. */
  endSyncs(): number {
    return this.#calls.endSyncs()
  }

  /** The Disk of another thread, over the same files and faults. */
  another(): Disk {
    return new CheckedDisk(this.#calls)
  }

  /** Memory is short: what is clean is read from the disk again. */
  dropCaches(): void {
    this.#calls.dropCaches()
  }

  /** The states that a power cut now may leave. In each all is on the disk, nothing is open, no fault is planned. */
  crashStates(seed: number, options: CrashOptions = {}): Generator<CrashState> {
    const { durable, journal } = this.#calls
    return this.#states(durable.fork(), [...journal.ops], seed, options)
  }

  *#states(durable: DiskImage, ops: readonly UnsyncedOp[], seed: number, options: CrashOptions): Generator<CrashState> {
    for (const plan of crashPlans(ops, seededRandom(seed), options)) {
      const image = imageAfterCrash(durable, ops, plan, options.names ?? 'any')
      const calls = this.#calls.fork(image, new UnsyncedJournal())
      yield { kind: plan.kind, description: plan.description, disk: new SimulatedDisk({}, calls) }
    }
  }

  /**
   * What a process finds that starts after this one was killed: all that was written. Of a write in which
   * a `stop` ended it, the first `keptBytes`, by default all; one that returned is whole. What was
   * not synced a power cut may still take.
   */
  killState(keptBytes = Number.POSITIVE_INFINITY): SimulatedDisk {
    const { durable, journal, cache, cutWrite } = this.#calls
    const after = cache.fork()
    const left = new UnsyncedJournal(journal.ops)
    if (cutWrite !== undefined && keptBytes < cutWrite.op.lengthInBytes) {
      const { op, sizeBefore, pagesBefore } = cutWrite
      const inode = after.mutable(op.inode)
      const kept = new Uint8Array(keptBytes)
      readPages(inode, kept, 0, keptBytes, op.position)
      inode.sizeInBytes = sizeBefore
      for (const [number, page] of pagesBefore) {
        if (page === undefined) inode.pages.delete(number)
        else inode.pages.set(number, page)
      }
      const cut = { ...op, lengthInBytes: keptBytes, pages: pagesAfter(inode, [kept], keptBytes, op.position) }
      left.replaceLast(keptBytes === 0 ? undefined : cut)
      if (keptBytes > 0) applyOp(after, cut)
    }
    return new SimulatedDisk({}, this.#calls.fork(durable.fork(), left, after))
  }
}
