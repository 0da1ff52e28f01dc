import { describe, expect, it } from 'vitest'
import { aheadBytesMax, allocateProgress, Progress, recordBytesMax } from '../../examples/user-activity/progress.ts'

describe('Progress', () => {
  it('is shared by all that hold the buffer', () => {
    const buffer = allocateProgress(2)
    const producer = new Progress(buffer)
    const consumer = new Progress(buffer)
    producer.addOffered(300)
    producer.addOffered(200)
    consumer.addRead(1, 300)
    expect(producer.aheadBytes()).toBe(200)
    expect([0, 1].map((partition) => producer.readRecords(partition, 2))).toEqual([0, 1])
  })

  it('knows the distance after the words have wrapped', () => {
    const progress = new Progress(allocateProgress(1))
    for (let at = 0; at < 10; at++) {
      progress.addOffered(0x4000_0000)
      expect(progress.aheadBytes()).toBe(0x4000_0000)
      progress.addRead(0, 0x4000_0000)
      expect(progress.aheadBytes()).toBe(0)
    }
  })

  it('counts records beyond 32 bits, from an offset nearby', () => {
    const progress = new Progress(allocateProgress(1))
    for (let at = 0; at < 5; at++) progress.addRead(0, 1)
    for (const [nearby, read] of [
      [0, 5],
      [1_000, 5],
      [2 ** 32, 2 ** 32 + 5],
      [3 * 2 ** 32 + 1_000, 3 * 2 ** 32 + 5],
    ] as const) {
      expect(progress.readRecords(0, nearby)).toBe(read)
    }
  })

  it('lets producers go on when consumers have come near', async () => {
    const progress = new Progress(allocateProgress(1))
    progress.addOffered(100)
    await progress.room(100)
    let going = false
    const room = progress.room(99).then(() => {
      going = true
    })
    await new Promise(setImmediate)
    expect(going).toBe(false)
    progress.addRead(0, 50)
    await new Promise(setImmediate)
    expect(going).toBe(false)
    progress.addRead(0, 1)
    await room
  })

  it('leaves half of a partition’s share of log memory to what has been read', () => {
    expect(aheadBytesMax(256 * 1_048_576, 6)).toBe(Math.floor((256 * 1_048_576) / 12))
    expect(aheadBytesMax(128 * 1_048_576, 6)).toBe(Math.floor((128 * 1_048_576) / 6) - 16 * 1_048_576)
    expect(aheadBytesMax(64 * 1_048_576, 6)).toBeLessThan(1)
    expect(aheadBytesMax(2 ** 40, 2)).toBeLessThan(2 ** 31)
  })

  it('never takes a record for smaller than it is', () => {
    for (const text of ['a', '"', '\u0007', 'é', '日', '\ud800', '😀'].map((character) => character.repeat(500))) {
      expect(recordBytesMax(text.length)).toBeGreaterThan(Buffer.byteLength(JSON.stringify({ text })))
    }
  })
})
