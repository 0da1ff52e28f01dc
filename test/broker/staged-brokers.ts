// Brokers on the thread of the test, each of which begins, ends, and is reported to have ended when
// the test says so: orders of events that threads come to once in a thousand times.
// An end is that of an idle thread: what it had begun it has done, its ports close.

import type { MessagePort } from 'node:worker_threads'
import type { SpawnThreadOptions, SpawnedThread, ThreadExit, ThreadSpawner } from '../../src/actor/worker-thread.ts'
import { BrokerActor } from '../../src/broker/broker-actor.ts'
import type { BrokerInit } from '../../src/broker/broker-control.ts'
import { systemClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'

/** One incarnation of a broker. */
export class StagedBroker implements SpawnedThread {
  readonly name: string
  readonly threadId = 0
  readonly init: BrokerInit
  readonly exited: Promise<ThreadExit>
  /** What it could not go on for. */
  readonly failures: unknown[] = []
  readonly #listeners = new Set<(exit: ThreadExit) => void>()
  #resolve!: (exit: ThreadExit) => void
  readonly #ports: MessagePort[]
  #actor: BrokerActor | undefined
  #hasEnded = false
  #isTold = false

  constructor({ name, workerData }: SpawnThreadOptions) {
    this.name = name
    this.init = workerData as BrokerInit
    this.#ports = [this.init.hostPort, ...this.init.peers.map(({ port }) => port)]
    this.exited = new Promise((resolve) => (this.#resolve = resolve))
  }

  get brokerId(): number {
    return this.init.brokerId
  }

  get hasBegun(): boolean {
    return this.#actor !== undefined
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  get isTold(): boolean {
    return this.#isTold
  }

  /** Its module runs. */
  begin(): void {
    if (this.#hasEnded || this.#actor !== undefined) return
    const actor = new BrokerActor(this.init, {
      clock: systemClock,
      random: seededRandom(this.brokerId + 1),
      workerThread: 0,
      maySpin: () => false,
      onFatal: (error) => this.failures.push(error),
    })
    const { connectPeer, acceptClient } = actor
    actor.connectPeer = (brokerId, incarnation, port) => {
      this.#ports.push(port)
      connectPeer.call(actor, brokerId, incarnation, port)
    }
    actor.acceptClient = (thread, port) => {
      this.#ports.push(port)
      acceptClient.call(actor, thread, port)
    }
    this.#actor = actor
  }

  /** Its neighbours see its ports close; who started it hears of it by `tellEnd`. */
  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const stopped = this.#actor?.stop()
    // At once: of what it still says while it stops, nobody hears.
    for (const port of this.#ports) port.close()
    await stopped
  }

  tellEnd(): void {
    if (this.#isTold) return
    this.#isTold = true
    const exit: ThreadExit = { exitCode: 1, error: undefined, terminated: true }
    for (const listener of this.#listeners) listener(exit)
    this.#resolve(exit)
  }

  onExit(listener: (exit: ThreadExit) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async terminate(): Promise<ThreadExit> {
    if (!this.#isTold) {
      await this.end()
      this.tellEnd()
    }
    return this.exited
  }

  join(): Promise<ThreadExit> {
    return this.exited
  }

  ref(): void {}

  unref(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }
}

export class StagedBrokers implements ThreadSpawner {
  /** In the order in which they were started. */
  readonly all: StagedBroker[] = []
  /** Whether brokers begin as soon as they are started. */
  isFree = true

  spawn(options: SpawnThreadOptions): StagedBroker {
    const broker = new StagedBroker(options)
    this.all.push(broker)
    if (this.isFree) queueMicrotask(() => broker.begin())
    return broker
  }

  get(brokerId: number, incarnation: number): StagedBroker {
    const found = this.all.find(({ init }) => init.brokerId === brokerId && init.incarnation === incarnation)
    if (found === undefined) throw new Error(`broker ${brokerId} was not started as incarnation ${incarnation}`)
    return found
  }

  get failures(): unknown[] {
    return this.all.flatMap(({ failures }) => failures)
  }
}
