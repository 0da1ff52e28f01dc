// Brokers with log memory between them, all on this thread and in virtual time.

import { VirtualClock } from '../../src/clock.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { ExtentAllocator } from '../../src/log/extent-allocator.ts'
import { logConfigOf } from '../../src/log/log-config.ts'
import type { ConfigText, LogConfig } from '../../src/log/log-config.ts'
import { LogManager } from '../../src/log/log-manager.ts'
import { LogMemory, allocateLogMemory } from '../../src/log/log-memory.ts'
import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import { GRANULE_BYTES, RETENTION_DEFAULT, STATE_ALLOCATED, STATE_FREE } from '../../src/log/log-memory-layout.ts'
import type { RetentionKind } from '../../src/log/log-memory-layout.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { MemoryRetention } from '../../src/log/memory-retention.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import { SharedLogReader, READ_OK } from '../../src/log/shared-log-reader.ts'
import { seenBatches } from './pattern-batches.ts'
import type { SeenBatch } from './pattern-batches.ts'

export const MIB = 1024 * 1024

/** Nothing goes by age: batches of tests are as old as the clock of the world. */
const AGELESS = logConfigOf({ 'retention.ms': '-1' })

export class TestBroker {
  readonly id: number
  readonly epoch: number
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
  readonly retention: MemoryRetention
  readonly manager: LogManager
  readonly logs = new Map<number, MemoryLog>()

  constructor(fixture: LogFixture, id: number, epoch: number) {
    this.id = id
    this.epoch = epoch
    this.memory = fixture.memory
    const ringBroker = (brokerId: number): void => void fixture.rung.push(brokerId)
    this.allocator = new ExtentAllocator({ memory: fixture.memory, brokerId: id, brokerEpoch: epoch, clock: fixture.clock, ringBroker })
    this.retention = new MemoryRetention({ memory: fixture.memory, allocator: this.allocator })
    this.manager = new LogManager({ memory: fixture.memory, allocator: this.allocator, clock: fixture.clock })
  }

  lead(slot: number, leaderEpoch = 1, config: LogConfig = AGELESS): MemoryLog {
    const control = new ControlBlock(this.memory, slot)
    if (!control.tryLead(control.leaderWord(), this.id, leaderEpoch)) throw new Error('the leader word changed')
    const log = MemoryLog.open(control, this.memory, this.allocator, leaderEpoch, config)
    this.logs.set(slot, log)
    this.retention.register(log)
    if (!log.hasFiles) this.manager.register(log)
    return log
  }

  /** Another broker leads it from now on. */
  letGo(slot: number): void {
    this.logs.get(slot)!.close()
    this.logs.delete(slot)
    this.retention.unregister(slot)
    this.manager.unregister(slot)
  }

  /** What a broker does with its memory in a duty cycle. */
  turn(): void {
    this.allocator.tick()
    this.retention.tick()
    this.manager.tick(this.allocator.nowMs, true)
  }
}

export interface FixtureOptions {
  readonly logMemoryBytes?: number
  readonly partitionsMax?: number
  readonly brokers?: number
  readonly buffers?: LogMemoryBuffers
  readonly clock?: VirtualClock
}

export class LogFixture {
  readonly clock: VirtualClock
  readonly memory: LogMemory
  readonly brokers: TestBroker[] = []
  readonly rung: number[] = []
  #epochs = 0

  constructor(options: FixtureOptions = {}) {
    this.clock = options.clock ?? new VirtualClock()
    const { logMemoryBytes = 16 * MIB, partitionsMax = 64, brokers = 1 } = options
    this.memory = new LogMemory(options.buffers ?? allocateLogMemory({ logMemoryBytes, partitionsMax }))
    for (let id = 0; id < brokers; id++) this.startBroker(id)
  }

  startBroker(id: number): TestBroker {
    const broker = new TestBroker(this, id, ++this.#epochs)
    this.brokers[id] = broker
    return broker
  }

  partition(slot: number, kind: RetentionKind = RETENTION_DEFAULT): ControlBlock {
    initialiseSlot(this.memory, slot, [7, 7, 7, slot], slot, kind)
    return new ControlBlock(this.memory, slot)
  }

  /** A partition led by a broker, empty. */
  log(slot: number, kind: RetentionKind = RETENTION_DEFAULT, broker = 0): MemoryLog {
    this.partition(slot, kind)
    return this.brokers[broker]!.lead(slot)
  }

  /** One with configs, as its topic has them. */
  configuredLog(slot: number, text: ConfigText, kind: RetentionKind = RETENTION_DEFAULT): MemoryLog {
    this.partition(slot, kind)
    return this.brokers[0]!.lead(slot, 1, logConfigOf(text))
  }

  /** Duty cycles of all brokers, `ms` of time between two. */
  turns(count: number, ms = 0.5): void {
    for (let i = 0; i < count; i++) {
      for (const broker of this.brokers) broker?.turn()
      this.clock.advance(ms)
    }
  }

  /** All batches that a new reader finds from `offset` on. */
  read(slot: number, offset = new ControlBlock(this.memory, slot).logStartOffset, maxBytes = 256 * 1024): SeenBatch[] {
    const reader = new SharedLogReader(this.memory, slot)
    reader.seek(offset)
    const target = { bytes: new Uint8Array(1024), length: 0 }
    const seen: SeenBatch[] = []
    while (reader.read(target, maxBytes) === READ_OK) seen.push(...seenBatches(target.bytes, target.length))
    return seen
  }
}

/**
 * Looks through all of log memory: each granule is free or belongs to one extent, each
 * live extent to one chain, and each chain tells its offsets and holdings rightly.
 */
export function memoryFaults(memory: LogMemory): string[] {
  const faults: string[] = []
  const ownerOf = new Int32Array(memory.granuleCount).fill(-1)
  const { extents } = memory
  for (let granule = 0; granule < memory.granuleCount; granule++) {
    if (extents.state(granule) === STATE_FREE) continue
    const order = extents.order(granule)
    if (granule % (1 << order) !== 0) faults.push(`extent ${granule} is not aligned to its order ${order}`)
    for (let i = granule; i < granule + (1 << order); i++) {
      if (ownerOf[i] !== -1) faults.push(`granule ${i} lies in the extents ${ownerOf[i]} and ${granule}`)
      ownerOf[i] = granule
    }
  }
  const linked = new Set<number>()
  for (let slot = 0; slot < memory.slotsHigh; slot++) {
    const control = new ControlBlock(memory, slot)
    if (!control.isInUse) continue
    let held = 0
    let last = -1
    for (let granule = control.firstExtent; granule >= 0; granule = extents.next(granule)) {
      if (linked.has(granule)) return [...faults, `extent ${granule} is linked twice`]
      linked.add(granule)
      last = granule
      held += 1 << extents.order(granule)
      if (extents.state(granule) !== STATE_ALLOCATED) faults.push(`extent ${granule} of slot ${slot} is not allocated`)
      if ((extents.generation(granule) & 1) === 0) faults.push(`extent ${granule} of slot ${slot} is dead`)
      if (extents.slot(granule) !== slot) faults.push(`extent ${granule} of slot ${slot} says slot ${extents.slot(granule)}`)
      if (extents.end(granule) > GRANULE_BYTES << extents.order(granule)) faults.push(`extent ${granule} ends beyond itself`)
    }
    const first = control.firstExtent
    const second = first < 0 ? -1 : extents.next(first)
    if (second >= 0 && extents.baseOffset(second) <= control.logStartOffset) faults.push(`slot ${slot} holds an extent below its log start`)
    if (last !== control.lastExtent) faults.push(`slot ${slot} says its last extent is ${control.lastExtent}, not ${last}`)
    if (held !== control.heldGranules) faults.push(`slot ${slot} says it holds ${control.heldGranules} granules, not ${held}`)
  }
  for (let granule = 0; granule < memory.granuleCount; granule++) {
    if (extents.state(granule) === STATE_ALLOCATED && !linked.has(granule)) faults.push(`extent ${granule} is in no chain`)
  }
  return faults
}

/** Granules of live extents. */
export function granulesInUse(memory: LogMemory): number {
  let granules = 0
  for (let granule = 0; granule < memory.granuleCount; granule++) {
    if (memory.extents.state(granule) !== STATE_FREE) granules += 1 << memory.extents.order(granule)
  }
  return granules
}
