// Threads that are none: each broker runs its own code, with a clock, turns and ports of its own, in the one thread of the test.
//
// Holds: a broker that was killed has no turn, no timer and no message any more, its ports close, and its end is told, as with a
// thread; the granularity of a kill is a turn.

import { threadId as ownThreadId } from 'node:worker_threads'
import type { TurnScheduler } from '../actor/turn-scheduler.ts'
import type { SpawnedThread, SpawnThreadOptions, ThreadExit, ThreadSpawner } from '../actor/worker-thread.ts'
import { BrokerActor } from '../broker/broker-actor.ts'
import type { BrokerInit } from '../broker/broker-control.ts'
import { seededRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { portsIn } from './inline-port.ts'
import type { PortOwner } from './inline-port.ts'
import type { OwnedClock, VirtualTime } from './virtual-time.ts'

export interface InlineThreadsOptions {
  readonly turns: TurnScheduler
  readonly time: VirtualTime
  /** Seeds the chance of each thread. */
  readonly random: Random
}

export class InlineThreads implements ThreadSpawner {
  readonly #options: InlineThreadsOptions
  /** By broker id: the one that was started last. */
  readonly #brokers = new Map<number, InlineThread>()

  constructor(options: InlineThreadsOptions) {
    this.#options = options
  }

  spawn(options: SpawnThreadOptions): SpawnedThread {
    const init = options.workerData as BrokerInit
    const thread = new InlineThread(options.name, init, options.transfer ?? [], this.#options)
    this.#brokers.set(init.brokerId, thread)
    return thread
  }

  /** Ends a broker where it stands; false: there is none of this id that runs. */
  kill(brokerId: number): boolean {
    const thread = this.#brokers.get(brokerId)
    if (thread === undefined || thread.hasEnded) return false
    void thread.terminate()
    return true
  }
}

class InlineThread implements SpawnedThread {
  readonly name: string
  readonly threadId = ownThreadId
  readonly exited: Promise<ThreadExit>
  readonly #turns: TurnScheduler
  readonly #clock: OwnedClock
  readonly #ports: PortOwner = new Set()
  readonly #listeners = new Set<(exit: ThreadExit) => void>()
  #resolveExited!: (exit: ThreadExit) => void
  #hasEnded = false
  #exit: ThreadExit | undefined

  constructor(name: string, init: BrokerInit, transfer: readonly unknown[], { turns, time, random }: InlineThreadsOptions) {
    this.name = name
    this.#turns = turns
    this.#clock = time.clock(name)
    this.exited = new Promise((resolve) => (this.#resolveExited = resolve))
    for (const port of portsIn(transfer)) port.moveTo(this.#ports)
    const own = seededRandom(random.uint32())
    // In a turn of its own, as a thread starts beside the one that spawns it.
    this.#schedule(() => this.#start(init, own))
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  join(): Promise<ThreadExit> {
    return this.exited
  }

  onExit(listener: (exit: ThreadExit) => void): () => void {
    const exit = this.#exit
    if (exit !== undefined) this.#turns.schedule(() => listener(exit))
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  terminate(): Promise<ThreadExit> {
    this.#end(undefined, true)
    return this.exited
  }

  ref(): void {}

  unref(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }

  #start(init: BrokerInit, random: Random): void {
    const onFatal = (error: unknown): void => this.#end(error, false)
    try {
      void new BrokerActor(init, {
        clock: {
          ...this.#clock,
          setTimer: (delayMs, callback) => this.#clock.setTimer(delayMs, this.#guarded(callback)),
        },
        random,
        scheduler: { schedule: (callback) => this.#schedule(callback) },
        workerThread: this.threadId,
        maySpin: () => false,
        onFatal,
      })
    } catch (error) {
      onFatal(error)
    }
  }

  #schedule(callback: () => void): void {
    this.#turns.schedule(this.#guarded(callback))
  }

  /** Runs while the thread does; a throw ends it, as what nobody catches ends a thread. */
  #guarded(callback: () => void): () => void {
    return () => {
      if (this.#hasEnded) return
      try {
        callback()
      } catch (error) {
        this.#end(error, false)
      }
    }
  }

  #end(error: unknown, terminated: boolean): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#clock.cancelAll()
    for (const port of [...this.#ports]) port.sever()
    const exit: ThreadExit = { exitCode: 1, error: error === undefined ? undefined : toError(error), terminated }
    // Neighbours see its ports close before the end itself is told.
    this.#turns.schedule(() => {
      this.#exit = exit
      for (const listener of [...this.#listeners]) listener(exit)
      this.#listeners.clear()
      this.#resolveExited(exit)
    })
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
