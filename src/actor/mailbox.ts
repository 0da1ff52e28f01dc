// The mailbox of an actor: two bounded queues, the system's served first.
//
// Runs on the actor's own thread: within a thread a message is passed by reference,
// across threads it comes in by a control channel. Holds: order of arrival within
// each queue; an `offer` that returns false has taken nothing; memory grows with
// what waits, up to the capacity, so an idle actor costs almost none.

export const MAILBOX_CAPACITY = 1_024
export const SYSTEM_MAILBOX_CAPACITY = 64

export interface MailboxOptions {
  /** Messages that may wait; the next one is refused. */
  readonly capacity?: number
  /** The same for system messages. */
  readonly systemCapacity?: number
}

export class Mailbox<Item> {
  readonly #system: BoundedQueue<Item>
  readonly #ordinary: BoundedQueue<Item>

  constructor(options: MailboxOptions = {}) {
    this.#system = new BoundedQueue(options.systemCapacity ?? SYSTEM_MAILBOX_CAPACITY)
    this.#ordinary = new BoundedQueue(options.capacity ?? MAILBOX_CAPACITY)
  }

  /** Messages that wait. */
  get size(): number {
    return this.#system.size + this.#ordinary.size
  }

  get capacity(): number {
    return this.#ordinary.capacity
  }

  /** False: the mailbox is full, nothing was taken. */
  offer(item: Item): boolean {
    return this.#ordinary.offer(item)
  }

  /** For messages that go before all others: a neighbour died, a leader epoch changed. */
  offerSystem(item: Item): boolean {
    return this.#system.offer(item)
  }

  take(): Item | undefined {
    return this.#system.size > 0 ? this.#system.take() : this.#ordinary.take()
  }
}

const SLOTS_MIN = 4

/** A queue in a circle of slots that doubles up to the capacity and never beyond. */
class BoundedQueue<Item> {
  readonly capacity: number
  #slots: (Item | undefined)[] = []
  #head = 0
  #size = 0

  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError(`a mailbox takes at least one message, not ${capacity}`)
    this.capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  offer(item: Item): boolean {
    if (this.#size === this.capacity) return false
    if (this.#size === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#size) % this.#slots.length] = item
    this.#size++
    return true
  }

  take(): Item | undefined {
    if (this.#size === 0) return undefined
    const item = this.#slots[this.#head]
    // Emptied, so that what was taken can be collected.
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#slots.length
    this.#size--
    return item
  }

  #grow(): void {
    const slots = new Array<Item | undefined>(Math.min(this.capacity, Math.max(SLOTS_MIN, this.#slots.length * 2))).fill(undefined)
    for (let i = 0; i < this.#size; i++) slots[i] = this.#slots[(this.#head + i) % this.#slots.length]
    this.#slots = slots
    this.#head = 0
  }
}
