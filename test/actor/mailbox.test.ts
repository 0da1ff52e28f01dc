import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Mailbox, MAILBOX_CAPACITY, SYSTEM_MAILBOX_CAPACITY } from '../../src/actor/mailbox.ts'

describe('a mailbox', () => {
  it('has bounds of its own', () => {
    const mailbox = new Mailbox<number>()
    for (let i = 0; i < MAILBOX_CAPACITY; i++) expect(mailbox.offer(i)).toBe(true)
    expect(mailbox.offer(-1)).toBe(false)
    for (let i = 0; i < SYSTEM_MAILBOX_CAPACITY; i++) expect(mailbox.offerSystem(-i)).toBe(true)
    expect(mailbox.offerSystem(-1)).toBe(false)
    expect(mailbox.size).toBe(MAILBOX_CAPACITY + SYSTEM_MAILBOX_CAPACITY)
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses a capacity of %d', (capacity) => {
    expect(() => new Mailbox({ capacity })).toThrow(RangeError)
    expect(() => new Mailbox({ systemCapacity: capacity })).toThrow(RangeError)
  })

  it('behaves like two bounded lists, the system one first', () => {
    const step = fc.oneof(fc.constant('offer' as const), fc.constant('offerSystem' as const), fc.constant('take' as const))
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 200 }),
        (capacity, systemCapacity, steps) => {
          const mailbox = new Mailbox<number>({ capacity, systemCapacity })
          const ordinary: number[] = []
          const system: number[] = []
          let next = 0
          for (const what of steps) {
            if (what === 'take') {
              expect(mailbox.take()).toBe(system.length > 0 ? system.shift() : ordinary.shift())
            } else {
              const [queue, limit] = what === 'offer' ? [ordinary, capacity] : [system, systemCapacity]
              const room = queue.length < limit
              expect(mailbox[what](next)).toBe(room)
              if (room) queue.push(next)
              next++
            }
            expect(mailbox.size).toBe(ordinary.length + system.length)
          }
        },
      ),
      { seed: 3, numRuns: 500 },
    )
  })
})
