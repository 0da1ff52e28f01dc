import { describe, expect, test } from 'vitest'
import {
  BLOCK_GRANULES,
  GRANULE_BYTES,
  ORDER_MAX,
  RETENTION_DEFAULT,
  STATE_ALLOCATED,
  STATE_FREE,
  STATE_RETURNED,
} from '../../src/log/log-memory-layout.ts'
import { LogFixture, MIB, granulesInUse } from './log-fixture.ts'

function withBrokers(brokers: number, logMemoryBytes = 32 * MIB): LogFixture {
  const fixture = new LogFixture({ brokers, logMemoryBytes })
  for (let slot = 0; slot < 4; slot++) fixture.partition(slot, RETENTION_DEFAULT)
  return fixture
}

describe('allocating and giving back', () => {
  test('an extent comes to life with an empty row and an odd generation', () => {
    const { brokers, memory } = withBrokers(1)
    const { allocator } = brokers[0]!
    const granule = allocator.allocate(3, 4, 4, 1_000)
    const { extents } = memory
    expect([extents.state(granule), extents.order(granule), extents.slot(granule), extents.next(granule)]).toEqual([
      STATE_ALLOCATED,
      4,
      3,
      -1,
    ])
    expect([extents.end(granule), extents.indexCount(granule), extents.baseOffset(granule), extents.generation(granule)]).toEqual([
      0, 0, 1_000, 1,
    ])
    expect(allocator.ownedBlocks).toBe(1)
  })

  test('it ends its life at once, and is used again only when it has rested', () => {
    const fixture = withBrokers(1)
    const { allocator } = fixture.brokers[0]!
    const granule = allocator.allocate(0, 2, 2, 0)
    // A partner keeps the two from becoming one run.
    allocator.allocate(0, 2, 2, 0)
    allocator.giveBack(granule)
    expect(fixture.memory.extents.generation(granule)).toBe(2)
    expect(fixture.memory.extents.state(granule)).toBe(STATE_FREE)
    expect(allocator.restingGranules).toBe(4)
    expect(allocator.allocate(0, 2, 2, 0)).not.toBe(granule)
    allocator.tick()
    fixture.clock.advance(0.9)
    allocator.tick()
    expect(allocator.restingGranules).toBe(4)
    fixture.clock.advance(0.1)
    allocator.tick()
    expect(allocator.restingGranules).toBe(0)
    expect(allocator.allocate(0, 2, 2, 0)).toBe(granule)
    expect(fixture.memory.extents.generation(granule)).toBe(3)
  })

  test('time alone is no rest: a whole turn must pass too', () => {
    const fixture = withBrokers(1)
    const { allocator } = fixture.brokers[0]!
    allocator.tick()
    const granule = allocator.allocate(0, 0, 0, 0)
    allocator.giveBack(granule)
    fixture.clock.advance(100)
    allocator.tick()
    expect(allocator.restingGranules).toBe(1)
    allocator.tick()
    expect(allocator.restingGranules).toBe(0)
  })

  test('the rest is counted from the instant of freeing, not from the start of its turn', () => {
    const fixture = withBrokers(1)
    const { allocator } = fixture.brokers[0]!
    const granule = allocator.allocate(0, 0, 0, 0)
    allocator.tick()
    fixture.clock.advance(10)
    allocator.giveBack(granule)
    allocator.tick()
    allocator.tick()
    expect(allocator.restingGranules).toBe(1)
    fixture.clock.advance(1)
    allocator.tick()
    expect(allocator.restingGranules).toBe(0)
  })

  test('less is given where the wanted order is not to be had, down to what is needed', () => {
    const { brokers } = withBrokers(1, 16 * MIB)
    const { allocator } = brokers[0]!
    expect(allocator.allocate(0, 0, 0, 0)).toBeGreaterThanOrEqual(0)
    expect(allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)).toBeGreaterThanOrEqual(0)
    const granule = allocator.allocate(0, ORDER_MAX, 3, 0)
    expect(brokers[0]!.memory.extents.order(granule)).toBe(ORDER_MAX - 1)
    expect(allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)).toBe(-1)
    expect(allocator.unmetOrder).toBe(ORDER_MAX)
  })

  test('an extent of another broker is marked, its owner rung, and collected in its next turn', () => {
    const fixture = withBrokers(2)
    const [owner, other] = fixture.brokers
    const granule = owner!.allocator.allocate(0, 1, 1, 0)
    other!.allocator.giveBack(granule)
    expect(fixture.memory.extents.state(granule)).toBe(STATE_RETURNED)
    expect(fixture.memory.extents.generation(granule)).toBe(2)
    expect(other!.allocator.restingGranules).toBe(0)
    expect(fixture.rung).toEqual([0])
    expect(owner!.allocator.hasAttention).toBe(true)
    owner!.allocator.tick()
    expect(owner!.allocator.hasAttention).toBe(false)
    expect(fixture.memory.extents.state(granule)).toBe(STATE_FREE)
    expect(owner!.allocator.restingGranules).toBe(2)
    // Twice given back is given back once.
    other!.allocator.giveBack(granule)
    expect(fixture.memory.extents.state(granule)).toBe(STATE_FREE)
  })
})

describe('the reserve', () => {
  test('blocks are claimed ahead, as many as the next two extents may need', () => {
    const fixture = withBrokers(1, 64 * MIB)
    const { allocator } = fixture.brokers[0]!
    allocator.allocate(0, 3, 3, 0)
    allocator.tick()
    expect(allocator.ownedBlocks).toBe(1)
    allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)
    allocator.tick()
    expect(allocator.missingGranules).toBe(0)
    expect(allocator.freeGranules).toBeGreaterThanOrEqual(2 * BLOCK_GRANULES)
    expect(allocator.ownedBlocks).toBe(4)
  })

  test('memory is touched ahead, two extents, in small steps, and not at the start', () => {
    const fixture = withBrokers(1, 64 * MIB)
    const { allocator } = fixture.brokers[0]!
    const { arena } = allocator
    expect(allocator.touchAhead()).toBe(false)
    allocator.allocate(0, 4, 4, 0)
    allocator.tick()
    const touches = (): number => {
      let count = 0
      while (allocator.touchAhead()) count++
      return count
    }
    expect(arena.touched(0)).toBe(16)
    expect(touches()).toBe(1)
    expect(arena.touched(0)).toBe(48)
    for (let i = 0; i < 2; i++) allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)
    allocator.tick()
    // 1,024 granules of which some are there already, 32 a step.
    expect(touches()).toBeGreaterThanOrEqual(30)
    expect(allocator.touchAhead()).toBe(false)
  })

  test('touching changes nothing that is in use', () => {
    const fixture = withBrokers(1, 16 * MIB)
    const { allocator } = fixture.brokers[0]!
    const granule = allocator.allocate(0, 0, 0, 0)
    fixture.memory.arena.fill(7, granule * GRANULE_BYTES, (granule + 1) * GRANULE_BYTES)
    allocator.tick()
    for (let i = 0; i < 100; i++) allocator.touchAhead()
    expect(fixture.memory.arena.subarray(granule * GRANULE_BYTES, (granule + 1) * GRANULE_BYTES).every((byte) => byte === 7)).toBe(true)
  })
})

describe('brokers share the arena', () => {
  test('a third broker gets memory when two own all blocks', () => {
    const fixture = withBrokers(3, 16 * MIB)
    const [first, second, third] = fixture.brokers
    const kept = first!.allocator.allocate(0, 2, 2, 0)
    second!.allocator.allocate(1, 2, 2, 0)
    expect(third!.allocator.allocate(2, 2, 2, 0)).toBe(-1)
    fixture.turns(4)
    const granule = third!.allocator.allocate(2, 2, 2, 0)
    expect(granule).toBeGreaterThanOrEqual(0)
    expect(fixture.rung).toContain(2)
    // The extent of the broker that handed over lives on in the block, and comes back to the new owner.
    expect(granulesInUse(fixture.memory)).toBe(12)
    first!.allocator.giveBack(kept)
    expect(granulesInUse(fixture.memory) === 8 || fixture.memory.extents.state(kept) === STATE_RETURNED).toBe(true)
    fixture.turns(4)
    expect(granulesInUse(fixture.memory)).toBe(8)
  })

  test('what rests in a block that is handed over goes on resting', () => {
    const fixture = withBrokers(2, 16 * MIB)
    const [first, second] = fixture.brokers
    const granules = [first!.allocator.allocate(0, 8, 8, 0), first!.allocator.allocate(0, 8, 8, 0)]
    first!.allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)
    fixture.turns(2)
    expect(second!.allocator.allocate(1, 0, 0, 0)).toBe(-1)
    second!.allocator.tick()
    first!.allocator.giveBack(granules[1]!)
    first!.allocator.giveBack(granules[0]!)
    fixture.clock.advance(0.25)
    // Nothing is free yet, so nothing is handed over.
    first!.allocator.tick()
    expect(second!.allocator.allocate(1, 0, 0, 0)).toBe(-1)
    expect(first!.allocator.dueInMs(fixture.clock.monotonicMs())).toBe(0.75)
    fixture.clock.advance(0.75)
    first!.allocator.tick()
    first!.allocator.tick()
    second!.allocator.tick()
    expect(second!.allocator.allocate(1, 0, 0, 0)).toBeGreaterThanOrEqual(0)
  })

  test('brokers that want memory by turns all get on, with two blocks between four', () => {
    const fixture = withBrokers(4, 16 * MIB)
    const got = [0, 0, 0, 0]
    const held: number[][] = [[], [], [], []]
    for (let round = 0; round < 400; round++) {
      for (const [id, broker] of fixture.brokers.entries()) {
        const granule = broker.allocator.allocate(id, 5, 5, 0)
        if (granule >= 0) {
          got[id]!++
          held[id]!.push(granule)
        }
        if (held[id]!.length > 4) broker.allocator.giveBack(held[id]!.shift()!)
      }
      fixture.turns(1)
    }
    for (const count of got) expect(count).toBeGreaterThan(20)
    for (const [id, broker] of fixture.brokers.entries()) for (const granule of held[id]!) broker.allocator.giveBack(granule)
    fixture.turns(5)
    expect(granulesInUse(fixture.memory)).toBe(0)
  })

  test('a want that nobody repeats is forgotten', () => {
    const fixture = withBrokers(1, 16 * MIB)
    const { allocator } = fixture.brokers[0]!
    for (let i = 0; i < 2; i++) allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)
    expect(allocator.allocate(0, 0, 0, 0)).toBe(-1)
    fixture.turns(10)
    expect(allocator.unmetOrder).toBe(0)
    expect(allocator.dueInMs(fixture.clock.monotonicMs())).toBeLessThanOrEqual(1)
    fixture.turns(200)
    expect(allocator.unmetOrder).toBe(-1)
  })

  test('a broker that stops leaves its blocks, with what lives in them', () => {
    const fixture = withBrokers(2, 16 * MIB)
    const [first, second] = fixture.brokers
    const lives = first!.allocator.allocate(0, 4, 4, 0)
    const freed = first!.allocator.allocate(0, 4, 4, 0)
    first!.allocator.giveBack(freed)
    first!.allocator.close()
    expect(first!.allocator.ownedBlocks).toBe(0)
    // The block was left an instant ago: what was freed in it rests with the next owner too.
    expect(second!.allocator.allocate(1, ORDER_MAX, ORDER_MAX, 0)).toBeGreaterThanOrEqual(0)
    expect(second!.allocator.allocate(1, 4, 4, 0)).toBe(-1)
    fixture.clock.advance(1)
    fixture.turns(3)
    const next = second!.allocator.allocate(1, 4, 4, 0)
    expect(next).toBeGreaterThanOrEqual(0)
    expect(next).not.toBe(lives)
  })

  test('what a log gave up for others is not used up before they have it', () => {
    const fixture = withBrokers(2, 16 * MIB)
    const [first, second] = fixture.brokers
    for (let i = 0; i < 2; i++) first!.allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0)
    expect(second!.allocator.allocate(1, 0, 0, 0)).toBe(-1)
    second!.allocator.tick()
    first!.allocator.tick()
    const missing = first!.allocator.missingGranules
    first!.allocator.owe(100)
    expect(first!.allocator.missingGranules).toBe(missing + 100)
    first!.allocator.tick()
    expect(first!.allocator.missingGranules).toBe(missing + 100)
    second!.allocator.close()
    first!.allocator.tick()
    expect(first!.allocator.missingGranules).toBe(missing)
  })

  test('what a dead broker had free rests with the one that adopts it; of earlier incarnations too', () => {
    const fixture = withBrokers(2, 16 * MIB)
    const [dead, adopter] = fixture.brokers
    const lives = dead!.allocator.allocate(0, 2, 2, 0)
    fixture.partition(0).setFirstExtent(lives)
    dead!.allocator.allocate(0, 2, 2, 0)
    const again = fixture.startBroker(0)
    again.allocator.allocate(1, ORDER_MAX, ORDER_MAX, 0)
    adopter!.allocator.adopt(0, again.epoch, (slot) => slot < 2)
    expect(adopter!.allocator.ownedBlocks).toBe(2)
    // All but the extent that is in a chain; the others were nobody's.
    expect(adopter!.allocator.restingGranules).toBe(2 * BLOCK_GRANULES - 4)
    expect(adopter!.allocator.allocate(2, 0, 0, 0)).toBe(-1)
    for (let i = 0; i < 4; i++) {
      adopter!.turn()
      fixture.clock.advance(0.5)
    }
    expect(adopter!.allocator.restingGranules).toBe(0)
    expect(adopter!.allocator.allocate(2, ORDER_MAX, ORDER_MAX, 0)).toBeGreaterThanOrEqual(0)
    expect(fixture.memory.extents.state(lives)).toBe(STATE_ALLOCATED)
  })

  test('an owner waiting for memory keeps the one block that has it, and gives the others', () => {
    const fixture = withBrokers(2, 24 * MIB)
    const [first, second] = fixture.brokers
    const granules = [0, 1, 2].map(() => first!.allocator.allocate(0, ORDER_MAX, ORDER_MAX, 0))
    expect(first!.allocator.allocate(0, 4, 4, 0)).toBe(-1)
    expect(second!.allocator.allocate(1, 4, 4, 0)).toBe(-1)
    second!.allocator.tick()
    for (const granule of granules.slice(0, 2)) first!.allocator.giveBack(granule)
    fixture.turns(4)
    expect(second!.allocator.allocate(1, 4, 4, 0)).toBeGreaterThanOrEqual(0)
    expect(first!.allocator.allocate(0, 4, 4, 0)).toBeGreaterThanOrEqual(0)
  })
})
