// What three brokers with six partitions do, as chance has it, the last of them compacted; all
// on this thread.
// Worker threads import this, so nothing of a test runner may be imported here.

import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import { logConfigOf } from '../../src/log/log-config.ts'
import { RETENTION_DEFAULT, RETENTION_INTERNAL, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import type { Random } from '../../src/random.ts'
import { keyedBatch } from './keyed-batches.ts'
import type { KeyedRecord } from './keyed-batches.ts'
import { LogFixture, MIB } from './log-fixture.ts'
import type { TestBroker } from './log-fixture.ts'
import { patternBatch } from './pattern-batches.ts'

/** Partitions of pattern batches, none of which compaction takes. */
export const PARTITIONS = 5
/** The slot of the partition that is compacted. */
export const COMPACTED = 5
export const COMPACTED_CONFIG = logConfigOf({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.2', 'delete.retention.ms': '5' })
const KEYS = 40

export class LogActions {
  readonly fixture: LogFixture
  readonly #random: Random
  /** For each slot, the batches by number as they were appended. */
  readonly appended: { number: number; baseOffset: number; nextOffset: number }[][] = []
  readonly leaders: number[] = []
  /** The records of the compacted partition, by offset. */
  readonly keyed: KeyedRecord[] = []
  #numbers = 0
  epoch = 1

  /** In the given memory, which must be new, or in memory of its own. */
  constructor(random: Random, buffers?: LogMemoryBuffers) {
    this.fixture = new LogFixture({ logMemoryBytes: 16 * MIB, brokers: 3, ...(buffers === undefined ? {} : { buffers }) })
    this.#random = random
    for (let slot = 0; slot < PARTITIONS; slot++) {
      this.appended[slot] = []
      this.leaders[slot] = slot % 3
      this.fixture.log(slot, slot === 4 ? RETENTION_INTERNAL : RETENTION_DEFAULT, slot % 3)
    }
    this.fixture.partition(COMPACTED, RETENTION_PINNED)
    this.leaders[COMPACTED] = COMPACTED % 3
    this.lead(COMPACTED, COMPACTED % 3, 1)
  }

  lead(slot: number, broker: number, leaderEpoch: number): MemoryLog {
    const { [broker]: leader } = this.fixture.brokers
    return slot === COMPACTED ? leader!.lead(slot, leaderEpoch, COMPACTED_CONFIG) : leader!.lead(slot, leaderEpoch)
  }

  broker(slot: number): TestBroker {
    return this.fixture.brokers[this.leaders[slot]!]!
  }

  /** Something that brokers do; the one that does it is returned, dead or alive. */
  act(): TestBroker {
    const slot = this.#random.below(PARTITIONS + 1)
    const broker = this.broker(slot)
    this.acting = broker
    const log = broker.logs.get(slot)!
    const what = this.#random.below(40)
    if (what < 24 && slot === COMPACTED) {
      this.#appendKeyed(log)
    } else if (what < 24) {
      const sizeInBytes = this.#random.below(8) === 0 ? 61 + this.#random.below(300_000) : 61 + this.#random.below(20_000)
      const number = this.#numbers++
      const records = 1 + this.#random.below(5)
      // The internal one is never trimmed, and must not fill the arena.
      if (slot === 4 && log.heldGranules > 100) return broker
      const baseOffset = log.append(patternBatch({ number, records, sizeInBytes }), 0, sizeInBytes)
      if (baseOffset >= 0) this.appended[slot]!.push({ number, baseOffset, nextOffset: baseOffset + records })
    } else if (what < 34) {
      log.advance()
    } else if (what < 36) {
      if (slot === COMPACTED) log.roll()
      else log.trimOldest()
    } else if (what < 37 && slot === COMPACTED) {
      log.roll()
    } else if (what < 37) {
      log.deleteRecordsBefore(Math.min(log.highWatermark, log.startOffset + this.#random.below(50)))
    } else if (what < 38) {
      this.#move(slot)
    }
    return broker
  }

  /** The broker whose thread runs now. */
  acting: TestBroker | undefined

  turn(): void {
    for (const broker of this.fixture.brokers) {
      this.acting = broker
      broker.turn()
    }
    this.fixture.clock.advance(0.4)
  }

  #move(slot: number): void {
    const from = this.broker(slot)
    from.logs.get(slot)!.advance()
    from.letGo(slot)
    const to = (this.leaders[slot]! + 1) % 3
    this.leaders[slot] = to
    this.acting = this.fixture.brokers[to]!
    this.lead(slot, to, ++this.epoch)
  }

  #appendKeyed(log: MemoryLog): void {
    const timestampMs = Math.floor(this.fixture.clock.nowMs())
    const records = Array.from({ length: 1 + this.#random.below(4) }, () => ({
      key: `key ${this.#random.below(KEYS)}`,
      value: this.#random.below(5) === 0 ? null : `${this.#numbers++}`.padEnd(this.#random.below(2_000)),
      timestampMs,
    }))
    const bytes = keyedBatch(records, { withCrc: this.#random.below(2) === 0 })
    const base = log.append(bytes, 0, bytes.length)
    if (base < 0) return
    // What was not published when a leader died is gone, and its offsets are given again.
    this.keyed.length = base
    this.keyed.push(...records)
  }
}
