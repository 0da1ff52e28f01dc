// The control block of a replica: the shared words by which a partition's leader,
// its readers and its producers know where it stands (Kafka: LogOffsetMetadata and
// the replica's state, kept in the broker's heap there). See log-memory-layout.ts.
// Any thread reads it; offsets and extents are written by the leader only, the leader
// word by compare-and-exchange, the waiters by whoever waits.
//
// Holds: every word is read and written by seq-cst atomics. Offsets of a living
// partition never go back. A waiter arms its bell, sets its bit and then looks at the
// watermark once more; a leader publishes the watermark, takes the bits and rings: one
// of the two always sees the other (test/log has the model).

import type { Bells } from '../bells.ts'
import { slot as slotOf, threadId } from '../ids.ts'
import type { Slot, ThreadId, TopicId } from '../ids.ts'
import type { LogMemory } from './log-memory.ts'
import {
  CONTROL_BYTES,
  CONTROL_CLEANED_LONG,
  CONTROL_DELETING,
  CONTROL_DURABILITY,
  CONTROL_DURABLE_END_LONG,
  CONTROL_EXPIRED_LONG,
  CONTROL_FILES,
  CONTROL_FIRST_EXTENT,
  CONTROL_HIGH_WATERMARK_LONG,
  CONTROL_HOME,
  CONTROL_INCARNATION,
  CONTROL_LAST_EXTENT,
  CONTROL_LAST_STABLE_LONG,
  CONTROL_LEADER_LONG,
  CONTROL_LOG_END_LONG,
  CONTROL_LOG_START_LONG,
  CONTROL_MEMORY_START_LONG,
  CONTROL_PARTITION,
  CONTROL_RETENTION_KIND,
  CONTROL_RETENTION_START_LONG,
  CONTROL_SYNCED_END_LONG,
  CONTROL_TOPIC_ID,
  CONTROL_TRIMMED_LONG,
  CONTROL_WAITER_SUMMARY,
  CONTROL_WAITERS,
  CONTROL_WRITTEN_END_LONG,
  DURABILITY_MEMORY,
  FILES_DAMAGED,
  FILES_FAILED,
  FILES_FINE,
} from './log-memory-layout.ts'
import type { Durability, RetentionKind } from './log-memory-layout.ts'

/** Nobody leads, and nobody ever did. */
export const NO_LEADER_WORD = 0n

export function leaderWordOf(brokerId: number, epoch: number): bigint {
  return (BigInt(epoch) << 32n) | BigInt(brokerId + 1)
}

/** The broker that a leader word names, -1 for none. */
export function leaderBrokerOf(word: bigint): number {
  return Number(BigInt.asIntN(32, word)) - 1
}

/** Whether the word names a leader. One who resigned leaves its epoch: no later leader has a lower one. */
export function hasLeader(word: bigint): boolean {
  return leaderBrokerOf(word) >= 0
}

export function leaderEpochOf(word: bigint): number {
  return Number(word >> 32n)
}

export class ControlBlock {
  readonly slot: Slot
  readonly #memory: LogMemory
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #longs: BigInt64Array<SharedArrayBuffer>
  /** Index of the block's first 32-bit and 64-bit word. */
  readonly #at: number
  readonly #longAt: number

  constructor(memory: LogMemory, slot: number) {
    this.slot = slotOf(slot)
    this.#memory = memory
    this.#words = memory.partitionWords
    this.#longs = memory.partitionLongs
    this.#at = (memory.controlBlocksAt + slot * CONTROL_BYTES) / 4
    this.#longAt = this.#at / 2
  }

  /** Odd while the slot is in use; another number means another partition. */
  get incarnation(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_INCARNATION)
  }

  get isInUse(): boolean {
    return (this.incarnation & 1) === 1
  }

  get partition(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_PARTITION)
  }

  get topicId(): TopicId {
    const at = this.#at + CONTROL_TOPIC_ID
    return [this.#words[at]!, this.#words[at + 1]!, this.#words[at + 2]!, this.#words[at + 3]!]
  }

  get isDeleting(): boolean {
    return Atomics.load(this.#words, this.#at + CONTROL_DELETING) !== 0
  }

  markDeleting(): void {
    Atomics.store(this.#words, this.#at + CONTROL_DELETING, 1)
  }

  leaderWord(): bigint {
    return Atomics.load(this.#longs, this.#longAt + CONTROL_LEADER_LONG)
  }

  /** The broker that leads, -1 for none: a look at the word's low half, without a 64-bit integer. */
  get leaderBroker(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_LEADER_LONG * 2) - 1
  }

  get leaderEpoch(): number {
    return leaderEpochOf(this.leaderWord())
  }

  /** Takes the lead if the leader word is still the expected one. */
  tryLead(expectedWord: bigint, brokerId: number, epoch: number): boolean {
    const at = this.#longAt + CONTROL_LEADER_LONG
    return Atomics.compareExchange(this.#longs, at, expectedWord, leaderWordOf(brokerId, epoch)) === expectedWord
  }

  /** Leaves the partition without a leader, under the same epoch, if the word is still the expected one. */
  tryResign(expectedWord: bigint): boolean {
    return this.tryLead(expectedWord, -1, leaderEpochOf(expectedWord))
  }

  get logStartOffset(): number {
    return this.#load(CONTROL_LOG_START_LONG)
  }

  publishLogStart(offset: number): void {
    this.#store(CONTROL_LOG_START_LONG, offset)
  }

  /** The first offset that is still in memory. */
  get memoryStartOffset(): number {
    return this.#load(CONTROL_MEMORY_START_LONG)
  }

  publishMemoryStart(offset: number): void {
    this.#store(CONTROL_MEMORY_START_LONG, offset)
  }

  get logEndOffset(): number {
    return this.#load(CONTROL_LOG_END_LONG)
  }

  publishLogEnd(offset: number): void {
    this.#store(CONTROL_LOG_END_LONG, offset)
  }

  get durableEndOffset(): number {
    return this.#load(CONTROL_DURABLE_END_LONG)
  }

  publishDurableEnd(offset: number): void {
    this.#store(CONTROL_DURABLE_END_LONG, offset)
  }

  get highWatermark(): number {
    return this.#load(CONTROL_HIGH_WATERMARK_LONG)
  }

  get logEndLow(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_LOG_END_LONG * 2)
  }

  get lastStableLow(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_LAST_STABLE_LONG * 2)
  }

  /** The watermark's low 32 bits: a cheap look, without a 64-bit integer, whether it has moved. */
  get highWatermarkLow(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_HIGH_WATERMARK_LONG * 2)
  }

  publishHighWatermark(offset: number): void {
    this.#store(CONTROL_HIGH_WATERMARK_LONG, offset)
  }

  get lastStableOffset(): number {
    return this.#load(CONTROL_LAST_STABLE_LONG)
  }

  publishLastStable(offset: number): void {
    this.#store(CONTROL_LAST_STABLE_LONG, offset)
  }

  /** How deep a record must be before it is acknowledged. Whether it has files at all never changes while the slot is in use. */
  get durability(): Durability {
    return Atomics.load(this.#words, this.#at + CONTROL_DURABILITY) as Durability
  }

  setDurability(durability: Durability): void {
    Atomics.store(this.#words, this.#at + CONTROL_DURABILITY, durability)
  }

  /** Whether the log is written to files too. */
  get hasFiles(): boolean {
    return this.durability !== DURABILITY_MEMORY
  }

  /** Whether its files failed, or were damaged when they were opened: nothing that is not in them will be. */
  get haveFilesFailed(): boolean {
    return Atomics.load(this.#words, this.#at + CONTROL_FILES) !== FILES_FINE
  }

  /** Whether its files were damaged when they were opened: nothing of them is served. */
  get areFilesDamaged(): boolean {
    return Atomics.load(this.#words, this.#at + CONTROL_FILES) === FILES_DAMAGED
  }

  /** The node id of the log directory that has its files, -1 while it has none: it stays there, whoever leads it. */
  get home(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_HOME) - 1
  }

  setHome(nodeId: number): void {
    Atomics.store(this.#words, this.#at + CONTROL_HOME, nodeId + 1)
  }

  /** For the I/O thread, as all that follows here. */
  failFiles(): void {
    Atomics.store(this.#words, this.#at + CONTROL_FILES, FILES_FAILED)
  }

  markFilesDamaged(): void {
    Atomics.store(this.#words, this.#at + CONTROL_FILES, FILES_DAMAGED)
  }

  /** One past the last offset that is in the log's files. */
  get writtenEndOffset(): number {
    return this.#load(CONTROL_WRITTEN_END_LONG)
  }

  publishWrittenEnd(offset: number): void {
    this.#store(CONTROL_WRITTEN_END_LONG, offset)
  }

  /** One past the last offset that survives a loss of power. */
  get syncedEndOffset(): number {
    return this.#load(CONTROL_SYNCED_END_LONG)
  }

  publishSyncedEnd(offset: number): void {
    this.#store(CONTROL_SYNCED_END_LONG, offset)
  }

  /** Where the retention of the log's files lets it begin; its leader moves the log start. */
  get retentionStartOffset(): number {
    return this.#load(CONTROL_RETENTION_START_LONG)
  }

  publishRetentionStart(offset: number): void {
    this.#store(CONTROL_RETENTION_START_LONG, offset)
  }

  /** First granule of the oldest extent, -1 when the log holds none. It alone says what the chain is. */
  get firstExtent(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_FIRST_EXTENT)
  }

  setFirstExtent(granule: number): void {
    Atomics.store(this.#words, this.#at + CONTROL_FIRST_EXTENT, granule)
  }

  /** First granule of the newest extent: a short cut, which may lag. */
  get lastExtent(): number {
    return Atomics.load(this.#words, this.#at + CONTROL_LAST_EXTENT)
  }

  setLastExtent(granule: number): void {
    Atomics.store(this.#words, this.#at + CONTROL_LAST_EXTENT, granule)
  }

  get retentionKind(): RetentionKind {
    return Atomics.load(this.#words, this.#at + CONTROL_RETENTION_KIND) as RetentionKind
  }

  /** For the leader, which alone writes the holdings too. */
  setRetentionKind(kind: RetentionKind): void {
    Atomics.store(this.#words, this.#at + CONTROL_RETENTION_KIND, kind)
    this.setHeldGranules(this.heldGranules)
  }

  get heldGranules(): number {
    return this.#memory.holdings(this.slot) >> 2
  }

  setHeldGranules(granules: number): void {
    Atomics.store(this.#words, this.#memory.holdingsAt + this.slot, (granules << 2) | this.retentionKind)
  }

  /** Records that memory retention took. */
  get trimmedRecords(): number {
    return this.#load(CONTROL_TRIMMED_LONG)
  }

  addTrimmedRecords(count: number): void {
    this.#store(CONTROL_TRIMMED_LONG, this.trimmedRecords + count)
  }

  /** Records that retention by age and by size took. */
  get expiredRecords(): number {
    return this.#load(CONTROL_EXPIRED_LONG)
  }

  addExpiredRecords(count: number): void {
    this.#store(CONTROL_EXPIRED_LONG, this.expiredRecords + count)
  }

  /** All below it was compacted: in memory, by the leader, or in files where there are some, by the thread that writes them. */
  get cleanedOffset(): number {
    return this.#load(CONTROL_CLEANED_LONG)
  }

  setCleanedOffset(offset: number): void {
    this.#store(CONTROL_CLEANED_LONG, offset)
  }

  /** Asks the leader for its oldest extent; false when it was asked already. */
  askToTrim(): boolean {
    const bit = 1 << (this.slot & 31)
    return (Atomics.or(this.#words, this.#memory.trimWantedAt + (this.slot >>> 5), bit) & bit) === 0
  }

  get isAskedToTrim(): boolean {
    return (Atomics.load(this.#words, this.#memory.trimWantedAt + (this.slot >>> 5)) & (1 << (this.slot & 31))) !== 0
  }

  takeTrimWanted(): boolean {
    const bit = 1 << (this.slot & 31)
    return (Atomics.and(this.#words, this.#memory.trimWantedAt + (this.slot >>> 5), ~bit) & bit) !== 0
  }

  /**
   * The thread will be rung when the watermark next moves. Arm its bell before this, and
   * look at the watermark once more after it: a ring that comes before the bell is armed is lost.
   */
  addWaiter(thread: ThreadId): void {
    // Still there since last time: a look takes no cache line from the leader. Whoever takes it from now on rings.
    if (this.hasWaiter(thread)) return
    const word = thread >>> 5
    // The bit before the summary: a leader that takes the summary finds the bit.
    Atomics.or(this.#words, this.#at + CONTROL_WAITERS + word, 1 << (thread & 31))
    Atomics.or(this.#words, this.#at + CONTROL_WAITER_SUMMARY, 1 << word)
  }

  /** Whether the thread's mark is there. One who rings may have died when it had taken half of it: then it is not. */
  hasWaiter(thread: ThreadId): boolean {
    const word = thread >>> 5
    if ((Atomics.load(this.#words, this.#at + CONTROL_WAITERS + word) & (1 << (thread & 31))) === 0) return false
    return (Atomics.load(this.#words, this.#at + CONTROL_WAITER_SUMMARY) & (1 << word)) !== 0
  }

  /** Rings all threads that wait; what they wait for must be published before. */
  ringWaiters(bells: Bells): void {
    if (Atomics.load(this.#words, this.#at + CONTROL_WAITER_SUMMARY) === 0) return
    // The summary before the words: a bit set behind our back leaves its summary bit for the next call.
    let summary = Atomics.exchange(this.#words, this.#at + CONTROL_WAITER_SUMMARY, 0)
    while (summary !== 0) {
      const word = 31 - Math.clz32(summary & -summary)
      summary &= summary - 1
      let bits = Atomics.exchange(this.#words, this.#at + CONTROL_WAITERS + word, 0)
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        bells.ring(threadId((word << 5) + bit))
      }
    }
  }

  #load(long: number): number {
    return Number(Atomics.load(this.#longs, this.#longAt + long))
  }

  #store(long: number, offset: number): void {
    Atomics.store(this.#longs, this.#longAt + long, BigInt(offset))
  }
}
