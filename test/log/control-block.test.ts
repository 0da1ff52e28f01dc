import { describe, expect, test } from 'vitest'
import { Bells, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { threadId } from '../../src/ids.ts'
import { ControlBlock, hasLeader, leaderBrokerOf, leaderEpochOf, leaderWordOf, NO_LEADER_WORD } from '../../src/log/control-block.ts'
import { LogMemory, allocateLogMemory } from '../../src/log/log-memory.ts'
import { CONTROL_BYTES, RETENTION_DEFAULT, RETENTION_INTERNAL, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'
import { freeSlot, initialiseSlot, releaseSlot } from '../../src/log/partition-table.ts'
import { SharedLogReader, READ_DELETED } from '../../src/log/shared-log-reader.ts'

const MIB = 1024 * 1024

function makeMemory(partitionsMax = 100): LogMemory {
  return new LogMemory(allocateLogMemory({ logMemoryBytes: 16 * MIB, partitionsMax }))
}

describe('log memory', () => {
  test('is made of whole blocks, at least two', () => {
    expect(() => allocateLogMemory({ logMemoryBytes: 8 * MIB })).toThrow('two blocks')
    expect(() => allocateLogMemory({ logMemoryBytes: 20 * MIB })).toThrow('8 MiB')
    expect(() => allocateLogMemory({ partitionsMax: 0 })).toThrow('partition')
    const memory = new LogMemory(allocateLogMemory())
    expect(memory.granuleCount).toBe(16_384)
    expect(memory.blockCount).toBe(32)
    expect(memory.partitionsMax).toBe(32_768)
  })

  test('is seen alike through views of another thread', () => {
    const memory = makeMemory()
    initialiseSlot(memory, 5, [1, 2, 3, 4], 9, RETENTION_PINNED)
    const elsewhere = new LogMemory(structuredClone(memory.buffers))
    expect(new ControlBlock(elsewhere, 5).partition).toBe(9)
  })
})

describe('slots', () => {
  test('are initialised once, again for the same partition without effect, and not for another', () => {
    const memory = makeMemory()
    expect(initialiseSlot(memory, 7, [1, 2, 3, 4], 3, RETENTION_INTERNAL)).toBe(true)
    const control = new ControlBlock(memory, 7)
    expect(control.isInUse).toBe(true)
    expect(control.topicId).toEqual([1, 2, 3, 4])
    expect([control.partition, control.retentionKind, control.firstExtent, control.lastExtent]).toEqual([3, RETENTION_INTERNAL, -1, -1])
    expect(memory.slotsHigh).toBe(8)
    control.publishLogEnd(44)
    expect(initialiseSlot(memory, 7, [1, 2, 3, 4], 3, RETENTION_INTERNAL)).toBe(false)
    expect(control.logEndOffset).toBe(44)
    expect(() => initialiseSlot(memory, 7, [1, 2, 3, 5], 3, RETENTION_INTERNAL)).toThrow('free')
    expect(() => initialiseSlot(memory, 100, [1, 2, 3, 4], 3, RETENTION_INTERNAL)).toThrow('partition table')
  })

  test('start anew when they are used again, and old readers know', () => {
    const memory = makeMemory()
    initialiseSlot(memory, 2, [1, 1, 1, 1], 0, RETENTION_DEFAULT)
    const control = new ControlBlock(memory, 2)
    const reader = new SharedLogReader(memory, 2)
    for (const publish of [
      'publishLogStart',
      'publishMemoryStart',
      'publishLogEnd',
      'publishDurableEnd',
      'publishHighWatermark',
      'publishLastStable',
    ] as const) {
      control[publish](9)
    }
    control.addTrimmedRecords(3)
    control.setHeldGranules(5)
    control.askToTrim()
    control.tryLead(NO_LEADER_WORD, 1, 1)
    control.markDeleting()
    releaseSlot(memory, 2)
    expect(reader.read({ bytes: new Uint8Array(100), length: 0 }, 100)).toBe(READ_DELETED)
    initialiseSlot(memory, 2, [2, 2, 2, 2], 1, RETENTION_PINNED)
    expect([control.logStartOffset, control.memoryStartOffset, control.logEndOffset, control.durableEndOffset]).toEqual([0, 0, 0, 0])
    expect([control.highWatermark, control.lastStableOffset, control.trimmedRecords, control.heldGranules]).toEqual([0, 0, 0, 0])
    expect([control.isDeleting, control.isAskedToTrim, control.leaderWord()]).toEqual([false, false, NO_LEADER_WORD])
    expect(control.topicId).toEqual([2, 2, 2, 2])
    expect(reader.hasNews).toBe(true)
    expect(reader.read({ bytes: new Uint8Array(100), length: 0 }, 100)).toBe(READ_DELETED)
  })

  test('the lowest free one is found, until all are used', () => {
    const memory = makeMemory(3)
    for (const expected of [0, 1, 2]) {
      expect(freeSlot(memory)).toBe(expected)
      initialiseSlot(memory, expected, [0, 0, 0, expected], 0, RETENTION_DEFAULT)
    }
    expect(freeSlot(memory)).toBeUndefined()
    releaseSlot(memory, 1)
    expect(freeSlot(memory)).toBe(1)
  })

  test('do not reach into each other', () => {
    const memory = makeMemory()
    for (const slot of [4, 5, 6]) initialiseSlot(memory, slot, [slot, 0, 0, 0], slot, RETENTION_DEFAULT)
    const before = [4, 6].map((slot) => bytesOf(memory, slot))
    const control = new ControlBlock(memory, 5)
    control.tryLead(NO_LEADER_WORD, 63, 2 ** 31 - 1)
    for (let id = 0; id < 256; id++) control.addWaiter(threadId(id))
    control.publishLogEnd(Number.MAX_SAFE_INTEGER)
    control.addTrimmedRecords(1)
    control.setFirstExtent(-1)
    control.setHeldGranules(500_000)
    control.askToTrim()
    expect([4, 6].map((slot) => bytesOf(memory, slot))).toEqual(before)
    expect(control.heldGranules).toBe(500_000)
    expect([4, 6].map((slot) => new ControlBlock(memory, slot).isAskedToTrim)).toEqual([false, false])
    expect([4, 6].map((slot) => new ControlBlock(memory, slot).heldGranules)).toEqual([0, 0])
  })

  function bytesOf(memory: LogMemory, slot: number): number[] {
    const start = memory.controlBlocksAt + slot * CONTROL_BYTES
    return [...new Uint8Array(memory.buffers.partitions).slice(start, start + CONTROL_BYTES)]
  }
})

describe('the leader word', () => {
  test('holds broker and epoch in one word', () => {
    for (const [broker, epoch] of [
      [0, 0],
      [63, 2 ** 31 - 1],
      [5, 1],
    ] as const) {
      const word = leaderWordOf(broker, epoch)
      expect([leaderBrokerOf(word), leaderEpochOf(word)]).toEqual([broker, epoch])
      expect(word).not.toBe(NO_LEADER_WORD)
    }
    expect(leaderBrokerOf(NO_LEADER_WORD)).toBe(-1)
  })

  test('is taken only from the one that was expected', () => {
    const memory = makeMemory()
    initialiseSlot(memory, 0, [0, 0, 0, 1], 0, RETENTION_DEFAULT)
    const control = new ControlBlock(memory, 0)
    expect(control.leaderBroker).toBe(-1)
    expect(control.tryLead(NO_LEADER_WORD, 2, 1)).toBe(true)
    expect(control.tryLead(NO_LEADER_WORD, 3, 2)).toBe(false)
    expect([control.leaderBroker, control.leaderEpoch]).toEqual([2, 1])
    expect(control.tryLead(leaderWordOf(2, 1), 3, 2)).toBe(true)
    expect(control.tryResign(leaderWordOf(2, 1))).toBe(false)
    expect(control.tryResign(leaderWordOf(3, 2))).toBe(true)
    // Its epoch stays: nobody leads under a lower one after it.
    expect([control.leaderBroker, control.leaderEpoch, hasLeader(control.leaderWord())]).toEqual([-1, 2, false])
  })
})

describe('waiters', () => {
  test('each is rung once, whatever its id', () => {
    const memory = makeMemory()
    initialiseSlot(memory, 0, [0, 0, 0, 1], 0, RETENTION_DEFAULT)
    const control = new ControlBlock(memory, 0)
    const bells = new Bells(Bells.allocate())
    const ids = Array.from({ length: 256 }, () => bells.claim(THREAD_KIND_CLIENT).id)
    for (const id of ids) bells.arm(id)
    const waiting = [0, 1, 31, 32, 63, 64, 200, 254, 255].map(threadId)
    for (const id of waiting) control.addWaiter(id)
    control.ringWaiters(bells)
    expect(ids.filter((id) => !bells.isParked(id))).toEqual(waiting)
    for (const id of ids) bells.arm(id)
    control.ringWaiters(bells)
    expect(ids.filter((id) => !bells.isParked(id))).toEqual([])
  })

  test('none is lost that comes between the look at the summary and the look at the words', () => {
    const memory = makeMemory()
    initialiseSlot(memory, 0, [0, 0, 0, 1], 0, RETENTION_DEFAULT)
    const control = new ControlBlock(memory, 0)
    const bells = new Bells(Bells.allocate())
    const first = bells.claim(THREAD_KIND_CLIENT).id
    const late = bells.claim(THREAD_KIND_CLIENT).id
    for (const id of [first, late]) bells.arm(id)
    control.addWaiter(first)
    const { exchange } = Atomics
    let calls = 0
    Object.assign(Atomics, {
      exchange: (view: Int32Array, index: number, value: number): number => {
        // Behind the exchange of the summary, and behind that of the word.
        const before = exchange(view, index, value)
        if (++calls <= 2) control.addWaiter(late)
        return before
      },
    })
    control.ringWaiters(bells)
    Object.assign(Atomics, { exchange })
    expect(calls).toBeGreaterThan(1)
    control.ringWaiters(bells)
    expect([first, late].map((id) => bells.isParked(id))).toEqual([false, false])
  })
})
