// The slots of the partition table: a replica gets one when its partition is created
// and gives it back when it is deleted. Runs on the active controller's thread, and,
// for `initialise` of what a dead controller had decided, on its successor's.
// Holds: a slot's incarnation turns odd when all its words are set and even before
// any is reused, so a reader that finds its incarnation unchanged reads its partition.

import { assert } from '../assert.ts'
import { equalTopicIds, slot as slotOf } from '../ids.ts'
import type { Slot, TopicId } from '../ids.ts'
import { ControlBlock, NO_LEADER_WORD } from './control-block.ts'
import type { LogMemory } from './log-memory.ts'
import {
  CONTROL_BYTES,
  CONTROL_DELETING,
  CONTROL_FIRST_EXTENT,
  CONTROL_HOME,
  CONTROL_INCARNATION,
  CONTROL_LAST_EXTENT,
  CONTROL_LONGS,
  CONTROL_PARTITION,
  CONTROL_RETENTION_KIND,
  CONTROL_TOPIC_ID,
  DURABILITY_MEMORY,
  SLOTS_HIGH,
} from './log-memory-layout.ts'
import type { Durability, RetentionKind } from './log-memory-layout.ts'

/** The lowest slot that is not in use, undefined when the table is full. */
export function freeSlot(memory: LogMemory): Slot | undefined {
  for (let candidate = 0; candidate < memory.partitionsMax; candidate++) {
    if (!new ControlBlock(memory, candidate).isInUse) return slotOf(candidate)
  }
  return undefined
}

/** What a log's files hold when a process starts; an empty log otherwise. */
export interface RecoveredLog {
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly endOffset: number
  readonly syncedEndOffset: number
}

/**
 * Makes the control block ready for its first leader: an empty log, or one that is all in files, and no leader. False
 * when it is ready already for this very partition, so that it can be repeated.
 */
export function initialiseSlot(
  memory: LogMemory,
  slot: number,
  topicId: TopicId,
  partition: number,
  kind: RetentionKind,
  durability: Durability = DURABILITY_MEMORY,
  recovered?: RecoveredLog,
): boolean {
  assert(slot >= 0 && slot < memory.partitionsMax, `slot ${slot} lies in the partition table of ${memory.partitionsMax}`)
  const control = new ControlBlock(memory, slot)
  if (control.isInUse) {
    assert(equalTopicIds(control.topicId, topicId) && control.partition === partition, `slot ${slot} is free`)
    return false
  }
  const words = memory.partitionWords
  const at = (memory.controlBlocksAt + slot * CONTROL_BYTES) / 4
  // The leader word and all offsets are zero; the waiters keep their bits, a late ring is harmless.
  for (let long = CONTROL_TOPIC_ID / 2; long < CONTROL_LONGS; long++) {
    if (long !== 14 && (long < 16 || long >= 24)) Atomics.store(memory.partitionLongs, at / 2 + long, 0n)
  }
  for (let i = 0; i < 4; i++) Atomics.store(words, at + CONTROL_TOPIC_ID + i, topicId[i]! | 0)
  Atomics.store(words, at + CONTROL_PARTITION, partition)
  Atomics.store(words, at + CONTROL_DELETING, 0)
  Atomics.store(words, at + CONTROL_HOME, 0)
  Atomics.store(words, at + CONTROL_FIRST_EXTENT, -1)
  Atomics.store(words, at + CONTROL_LAST_EXTENT, -1)
  Atomics.store(words, at + CONTROL_RETENTION_KIND, kind)
  control.setDurability(durability)
  if (recovered !== undefined) publishRecovered(control, recovered)
  control.takeTrimWanted()
  memory.writeWanted.take(slot)
  memory.written.take(slot)
  control.setHeldGranules(0)
  raiseSlotsHigh(memory, slot + 1)
  Atomics.add(words, at + CONTROL_INCARNATION, 1)
  return true
}

function publishRecovered(control: ControlBlock, recovered: RecoveredLog): void {
  const { leaderEpoch, startOffset, endOffset, syncedEndOffset } = recovered
  control.tryLead(NO_LEADER_WORD, -1, leaderEpoch)
  control.publishLogStart(startOffset)
  control.publishMemoryStart(endOffset)
  control.publishLogEnd(endOffset)
  control.publishDurableEnd(endOffset)
  control.publishHighWatermark(endOffset)
  control.publishLastStable(endOffset)
  control.publishWrittenEnd(endOffset)
  control.publishSyncedEnd(syncedEndOffset)
}

/** Gives the slot back. Its log is deleted: the chain is empty and nobody leads. */
export function releaseSlot(memory: LogMemory, slot: number): void {
  const control = new ControlBlock(memory, slot)
  assert(control.isInUse, `slot ${slot} is in use`)
  assert(control.firstExtent === -1, `the log of slot ${slot} is deleted before its slot is released`)
  Atomics.add(memory.partitionWords, (memory.controlBlocksAt + slot * CONTROL_BYTES) / 4 + CONTROL_INCARNATION, 1)
}

function raiseSlotsHigh(memory: LogMemory, high: number): void {
  for (;;) {
    const seen = memory.slotsHigh
    if (seen >= high) return
    if (Atomics.compareExchange(memory.partitionWords, SLOTS_HIGH, seen, high) === seen) return
  }
}
