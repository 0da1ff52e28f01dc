// Three brokers, all on this thread, that append, trim, delete and hand logs over as
// chance has it, and what must be found of each partition when one of them is dead.

import { expect } from 'vitest'
import { ControlBlock } from '../../src/log/control-block.ts'
import { ORDER_MAX } from '../../src/log/log-memory-layout.ts'
import type { Random } from '../../src/random.ts'
import { expectCompactedRightly } from './compacted-rightly.ts'
import { COMPACTED, LogActions, PARTITIONS } from './log-actions.ts'
import { memoryFaults } from './log-fixture.ts'
import type { TestBroker } from './log-fixture.ts'

export class LogWorld extends LogActions {
  readonly #random: Random
  readonly #dead = new Set<TestBroker>()

  constructor(random: Random) {
    super(random)
    this.#random = random
  }

  /** A living broker takes over what the dead had; itself it may die in that. */
  adopt(dead: TestBroker): void {
    this.#dead.add(dead)
    // The dead broker's next incarnation, which is to take part again.
    const next = this.fixture.startBroker(dead.id)
    const adopter = this.fixture.brokers[this.#random.below(3)]!
    this.acting = adopter
    const slots = this.leaders.flatMap((_, slot) => (this.fixture.brokers.some((broker) => broker.logs.has(slot)) ? [] : [slot]))
    for (const each of this.#dead) adopter.allocator.adopt(each.id, each.epoch, (slot) => slots.includes(slot))
    for (const slot of slots) {
      const leader = this.#random.below(2) === 0 ? adopter : next
      this.acting = leader
      const published = new ControlBlock(this.fixture.memory, slot).logEndOffset
      // What was not published is gone, and its offsets are given again.
      if (slot !== COMPACTED) this.appended[slot] = this.appended[slot]!.filter((batch) => batch.nextOffset <= published)
      this.leaders[slot] = leader.id
      const log = this.lead(slot, leader.id, ++this.epoch)
      expect(log.endOffset).toBe(published)
      log.advance()
    }
    this.#dead.clear()
  }

  expectWhole(): void {
    // What compactions are writing is in no chain yet.
    for (const broker of this.fixture.brokers) for (const log of broker.logs.values()) broker.manager.cleaner.forget(log)
    expect(memoryFaults(this.fixture.memory)).toEqual([])
    expectCompactedRightly(this.fixture.memory, COMPACTED, this.keyed)
    for (let slot = 0; slot < PARTITIONS; slot++) {
      const control = new ControlBlock(this.fixture.memory, slot)
      const expected = this.appended[slot]!.filter(
        (batch) => batch.nextOffset > control.logStartOffset && batch.nextOffset <= control.highWatermark,
      )
      const seen = this.fixture.read(slot)
      expect(seen.map(({ number, baseOffset, nextOffset }) => ({ number, baseOffset, nextOffset }))).toEqual(expected)
      this.appended[slot] = this.appended[slot]!.filter((batch) => batch.nextOffset > control.logStartOffset)
    }
  }

  /** With all logs deleted, one broker can have the whole arena in whole blocks. */
  expectNothingLeaks(): void {
    for (let slot = 0; slot <= COMPACTED; slot++) this.broker(slot).logs.get(slot)!.delete()
    let blocks = 0
    for (let i = 0; i < 100; i++) {
      if (this.fixture.brokers[0]!.allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0) >= 0) blocks++
      this.turn()
    }
    expect(blocks).toBe(this.fixture.memory.blockCount)
  }
}
