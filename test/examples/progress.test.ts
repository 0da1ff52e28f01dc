import { describe, expect, it } from 'vitest'
import { aheadBytesMax, allocateProgress, Progress, recordBytesMax } from '../../examples/user-activity/progress.ts'

describe('Progress', () => {
  it('is shared by all that hold the buffer', () => {
    const buffer = allocateProgress()
    const producer = new Progress(buffer)
    const consumer = new Progress(buffer)
    producer.addOffered(300)
    producer.addOffered(200)
    consumer.addRead(300)
    expect(producer.aheadBytes()).toBe(200)
  })

  it('knows the distance after the words have wrapped', () => {
    const progress = new Progress(allocateProgress())
    for (let at = 0; at < 10; at++) {
      progress.addOffered(0x4000_0000)
      expect(progress.aheadBytes()).toBe(0x4000_0000)
      progress.addRead(0x4000_0000)
      expect(progress.aheadBytes()).toBe(0)
    }
  })

  it('lets producers go on when consumers have come near', async () => {
    const progress = new Progress(allocateProgress())
    progress.addOffered(100)
    await progress.room(100)
    let going = false
    const room = progress.room(99).then(() => {
      going = true
    })
    await new Promise(setImmediate)
    expect(going).toBe(false)
    progress.addRead(50)
    await new Promise(setImmediate)
    expect(going).toBe(false)
    progress.addRead(1)
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
