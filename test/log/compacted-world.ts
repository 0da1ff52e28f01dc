// One compacted log and all that may happen to it, with a naive model of what must be found:
// every record that was appended, and of those that are missing a reason for each.

import { expect } from 'vitest'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { logConfigOf } from '../../src/log/log-config.ts'
import { seededRandom } from '../../src/random.ts'
import { CreepingClock } from './creeping-clock.ts'
import { keyedBatch, readKeyed } from './keyed-batches.ts'
import type { KeyedRecord, SeenRecord } from './keyed-batches.ts'
import { LogFixture, MIB, memoryFaults } from './log-fixture.ts'

const DELETE_RETENTION_MS = 10_000
const MIN_LAG_MS = 3_000
const CONFIG = logConfigOf({
  'cleanup.policy': 'compact,delete',
  'retention.ms': '-1',
  'min.cleanable.dirty.ratio': '0.1',
  'min.compaction.lag.ms': `${MIN_LAG_MS}`,
  'delete.retention.ms': `${DELETE_RETENTION_MS}`,
})

export type WorldCommand =
  | { kind: 'append'; seed: number }
  | { kind: 'turns'; count: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'delete'; part: number }
  | { kind: 'clean' | 'roll' | 'trim' | 'die' }

export class CompactedWorld {
  readonly #fixture: LogFixture
  readonly #clock: CreepingClock
  readonly #creepMs: number
  #log: MemoryLog
  #leaderEpoch = 1
  #cleaningsBefore = 0
  /** By offset. */
  readonly #appended = new Map<number, SeenRecord>()
  readonly #lastOfKey = new Map<string, SeenRecord>()
  /** Of tombstones, by offset: the earliest instant at which they may go. */
  readonly #horizons = new Map<number, number>()
  readonly #producers = new Map<number, { lastOffset: number; timestampMs: number }>()

  constructor(creepMs: number) {
    this.#clock = new CreepingClock()
    this.#creepMs = creepMs
    this.#fixture = new LogFixture({ logMemoryBytes: 16 * MIB, clock: this.#clock })
    this.#fixture.partition(0)
    this.#log = this.#fixture.brokers[0]!.lead(0, 1, CONFIG)
  }

  get cleanings(): number {
    return this.#cleaningsBefore + this.#fixture.brokers[0]!.manager.cleaner.cleanings
  }

  do(command: WorldCommand): void {
    switch (command.kind) {
      case 'append':
        return this.#append(command.seed)
      case 'turns':
        return this.#turns(command.count)
      case 'clean':
        return this.settle()
      case 'wait':
        return this.#clock.advance(command.ms)
      case 'roll':
        return this.#log.roll()
      case 'trim':
        return void this.#log.trimOldest()
      case 'delete': {
        const { startOffset, highWatermark } = this.#log
        return void this.#log.deleteRecordsBefore(Math.floor(startOffset + command.part * (highWatermark - startOffset)))
      }
      case 'die':
        return this.#die()
    }
  }

  /** Until the cleaner has nothing to do. */
  settle(): void {
    const { manager } = this.#fixture.brokers[0]!
    this.#log.advance()
    this.#turns(1)
    for (let i = 0; i < 100_000 && manager.cleaner.hasWork; i++) this.#turns(1)
    expect(manager.cleaner.hasWork).toBe(false)
  }

  faults(): string[] {
    return memoryFaults(this.#fixture.memory)
  }

  expectRight(): void {
    const log = this.#log
    const batches = readKeyed(this.#fixture.memory, 0)
    const found = new Map<number, SeenRecord>()
    let next = -1
    for (const { baseOffset, nextOffset, records, horizonMs, crc } of batches) {
      expect(crc).not.toBe('wrong')
      expect(baseOffset).toBeGreaterThanOrEqual(next)
      next = nextOffset
      for (const record of records) {
        expect(record).toEqual(this.#appended.get(record.offset))
        found.set(record.offset, record)
        if (record.value === null && horizonMs !== undefined && !this.#horizons.has(record.offset)) {
          expect(horizonMs).toBeLessThanOrEqual(this.#clock.nowMs() + DELETE_RETENTION_MS)
          this.#horizons.set(record.offset, horizonMs)
        }
      }
    }
    for (const record of this.#appended.values()) {
      if (record.offset < log.startOffset || record.offset >= log.highWatermark || found.has(record.offset)) continue
      expect(record.timestampMs, 'no record goes that lags so little').toBeLessThanOrEqual(this.#clock.nowMs() - MIN_LAG_MS)
      const last = this.#lastOfKey.get(record.key!)!
      if (last.offset > record.offset && last.offset < log.highWatermark) continue
      // The last of its key: only a tombstone may be missing, whose horizon had come.
      expect(record.value, `offset ${record.offset} is the last of its key`).toBeNull()
      expect(this.#horizons.get(record.offset)).toBeLessThanOrEqual(this.#clock.nowMs())
      // And nothing older comes to light again.
      for (const each of found.values()) expect(each.key).not.toBe(record.key)
    }
    for (const [producerId, { lastOffset }] of this.#producers) {
      if (lastOffset < log.startOffset || lastOffset >= log.highWatermark) continue
      expect(
        batches.some((batch) => batch.producerId === producerId && batch.nextOffset === lastOffset + 1),
        `the last batch of producer ${producerId}`,
      ).toBe(true)
    }
  }

  #append(seed: number): void {
    const random = seededRandom(seed)
    const timestampMs = Math.floor(this.#clock.nowMs())
    const records: KeyedRecord[] = Array.from({ length: 1 + random.below(4) }, () => ({
      key: `k${random.below(12)}`,
      value: random.below(4) === 0 ? null : `${random.uint32()}`.padEnd(random.below(4_000), '.'),
      timestampMs: timestampMs - random.below(5),
    }))
    const producerId = random.below(3) === 0 ? 100 + random.below(3) : -1
    const compression = random.below(3) === 0 ? 1 + random.below(4) : 0
    const bytes = keyedBatch(records, { withCrc: random.below(2) === 0, compression, ...(producerId < 0 ? {} : { producerId }) })
    const base = this.#log.append(bytes, 0, bytes.length)
    if (base < 0) return
    for (const [i, record] of records.entries()) {
      const seen = { ...record, offset: base + i }
      this.#appended.set(seen.offset, seen)
    }
    if (random.below(5) > 0) {
      this.#log.advance()
      this.#note()
    }
    if (producerId >= 0) this.#unpublished.push({ producerId, lastOffset: base + records.length - 1, timestampMs })
    if (this.#log.highWatermark === this.#log.endOffset) this.#note()
  }

  readonly #unpublished: { producerId: number; lastOffset: number; timestampMs: number }[] = []

  /** All that was appended is committed now. */
  #note(): void {
    for (const record of this.#appended.values()) {
      const last = this.#lastOfKey.get(record.key!)
      if (last === undefined || last.offset < record.offset) this.#lastOfKey.set(record.key!, record)
    }
    for (const { producerId, lastOffset, timestampMs } of this.#unpublished.splice(0)) {
      this.#producers.set(producerId, { lastOffset, timestampMs })
    }
  }

  #turns(count: number): void {
    this.#clock.creepMs = this.#creepMs
    for (let i = 0; i < count; i++) this.#fixture.turns(1, 0.3)
    this.#clock.creepMs = 0
    if (this.#log.highWatermark === this.#log.endOffset) this.#note()
  }

  /** The broker is gone with all that it knew, in the middle of a compaction perhaps; its next incarnation adopts its memory. */
  #die(): void {
    const dead = this.#fixture.brokers[0]!
    this.#cleaningsBefore += dead.manager.cleaner.cleanings
    const next = this.#fixture.startBroker(0)
    next.allocator.adopt(dead.id, dead.epoch, () => true)
    this.#log = next.lead(0, ++this.#leaderEpoch, CONFIG)
    this.#log.advance()
    const { endOffset } = this.#log
    for (const offset of [...this.#appended.keys()]) if (offset >= endOffset) this.#appended.delete(offset)
    this.#unpublished.splice(0)
    expect(this.faults()).toEqual([])
    this.#note()
  }
}
