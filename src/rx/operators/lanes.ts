// What runs when: some at a time, those of a lane one behind the other, in the order in which they
// came. Pure; private to the subscriber's thread.
//
//   waiting ──▶ ready ──▶ running ──▶ settled
//   behind its    ▲          │
//   lane          └──────────┘ backing off, which holds up its lane, and takes no place
//
// Holds: never more than `concurrency` run; of a lane at most one is ready, runs or backs off.

import { Fifo } from '../../client/consumer/fifo.ts'

export class Task<Item> {
  readonly item: Item
  readonly lane: string | undefined
  /** From 1. */
  attempt = 1
  /** The next of its lane. */
  follower: Task<Item> | undefined = undefined

  constructor(item: Item, lane: string | undefined) {
    this.item = item
    this.lane = lane
  }
}

export class Lanes<Item> {
  readonly #concurrency: number
  readonly #ready = new Fifo<Task<Item>>()
  /** The last of each lane. */
  readonly #lanes = new Map<string, Task<Item>>()
  #running = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  get running(): number {
    return this.#running
  }

  /** Without a lane it waits for nobody. */
  add(item: Item, lane: string | undefined): void {
    const task = new Task(item, lane)
    if (lane !== undefined) {
      const last = this.#lanes.get(lane)
      this.#lanes.set(lane, task)
      if (last !== undefined) {
        last.follower = task
        return
      }
    }
    this.#ready.push(task)
  }

  /** The next to run, which counts as running now; undefined: none may, or none is there. */
  next(): Task<Item> | undefined {
    if (this.#running >= this.#concurrency) return undefined
    const task = this.#ready.shift()
    if (task !== undefined) this.#running++
    return task
  }

  /** It runs no more, and will again: its lane waits. */
  backOff(task: Task<Item>): void {
    task.attempt++
    this.#running--
  }

  /** What has backed off may run again. */
  retry(task: Task<Item>): void {
    this.#ready.push(task)
  }

  /** It runs no more; its lane waits until it is settled. */
  stop(): void {
    this.#running--
  }

  /** Its lane goes on. */
  settle(task: Task<Item>): void {
    if (task.lane === undefined) return
    if (task.follower === undefined) this.#lanes.delete(task.lane)
    else this.#ready.push(task.follower)
  }
}
