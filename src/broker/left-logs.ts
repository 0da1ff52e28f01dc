// What dead brokers and deleted topics left in log memory, and who takes it: the controller
// asks its own broker (Kafka has no such thing: there a broker's memory dies with it).
// Runs on the broker's thread.
// Holds: nothing is taken from a log whose leader may live.

import type { Bells } from '../bells.ts'
import { ControlBlock, leaderBrokerOf, leaderEpochOf } from '../log/control-block.ts'
import type { ExtentAllocator } from '../log/extent-allocator.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { releaseSlot } from '../log/partition-table.ts'
import { FIRST_TOPIC_SLOT } from '../metadata/metadata-records.ts'

export class LeftLogs {
  readonly #brokerId: number
  readonly #memory: LogMemory
  readonly #allocator: ExtentAllocator
  readonly #bells: Bells

  constructor(brokerId: number, memory: LogMemory, allocator: ExtentAllocator, bells: Bells) {
    this.#brokerId = brokerId
    this.#memory = memory
    this.#allocator = allocator
    this.#bells = bells
  }

  /** Takes over what a dead broker owned. The logs that it led are those whose leader word names it; the metadata log is led here. */
  adoptMemory(deadBroker: number, incarnation: number): void {
    const isLedByDead = (slot: number): boolean =>
      slot < FIRST_TOPIC_SLOT || new ControlBlock(this.#memory, slot).leaderBroker === deadBroker
    this.#allocator.adopt(deadBroker, incarnation, isLedByDead)
  }

  /** Frees the log of a row that no topic has any more, if whoever led it is gone: it died before it could. */
  dropDeleted(slot: number, isGone: (brokerId: number) => boolean): void {
    const control = new ControlBlock(this.#memory, slot)
    const word = control.leaderWord()
    if (!control.isInUse || (control.isDeleting && control.firstExtent < 0) || !isGone(leaderBrokerOf(word))) return
    // A living broker that was to lead it may be about to take the word: then it frees the log when it hears of the end.
    const epoch = leaderEpochOf(word) + 1
    if (!control.tryLead(word, this.#brokerId, epoch)) return
    MemoryLog.open(control, this.#memory, this.#allocator, epoch).delete()
    control.tryResign(control.leaderWord())
    control.ringWaiters(this.#bells)
  }

  /** Whether the row can be given to a partition. One that a deleted topic left is released, once nobody can hold it any more. */
  isFree(slot: number, mayRelease: boolean): boolean {
    const control = new ControlBlock(this.#memory, slot)
    if (!control.isInUse) return true
    if (!mayRelease || !control.isDeleting || control.firstExtent >= 0) return false
    releaseSlot(this.#memory, slot)
    return true
  }

  /** Lets go of the leader word of a partition that only a dead incarnation of this broker led. */
  resignForDead(slot: number): void {
    const control = new ControlBlock(this.#memory, slot)
    const word = control.leaderWord()
    if (leaderBrokerOf(word) === this.#brokerId && control.tryResign(word)) control.ringWaiters(this.#bells)
  }
}
