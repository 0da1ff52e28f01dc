// Message ports between threads that are all this one: what a control channel needs of a MessagePort, and nothing else. Each message
// comes in a turn of its own, a copy, as between threads.
//
// Holds: messages of a port arrive in their order, before its end; what is posted to an end that is closed is dropped, with the ports
// in it; `close` is told once on either end. A port moves with the message that names it, and closes when the thread that has it ends.

import { EventEmitter } from 'node:events'
import type { MessagePort, Transferable } from 'node:worker_threads'
import type { PortPair } from '../actor/port-pair.ts'
import type { TurnScheduler } from '../actor/turn-scheduler.ts'

/** Who has ports: an inline thread. */
export type PortOwner = Set<InlinePort>

class InlinePort extends EventEmitter {
  readonly #turns: TurnScheduler
  peer!: InlinePort
  #owner: PortOwner | undefined
  /** What came before anybody listened; undefined: somebody does. */
  #early: unknown[] | undefined = []
  #isClosed = false
  #isHeld = false

  constructor(turns: TurnScheduler) {
    super()
    this.#turns = turns
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    super.on(event, listener as (...args: unknown[]) => void)
    if (event !== 'message') return this
    const early = this.#early ?? []
    this.#early = undefined
    for (const message of early) this.#turns.schedule(() => this.#deliver(message))
    return this
  }

  /** Throws what structured cloning throws. */
  postMessage(message: unknown, transfer: readonly Transferable[] = []): void {
    const moved = portsIn(transfer)
    // Who moves a port does not keep what it has put beside it.
    const copy: unknown = moved.length > 0 ? message : structuredClone(message)
    if (this.#isClosed) return
    for (const port of moved) port.moveTo(this.peer.#owner)
    this.#turns.schedule(() => {
      if (!this.peer.#deliver(copy)) for (const port of moved) port.close()
    })
  }

  /** The thread that has this end from now on. */
  moveTo(owner: PortOwner | undefined): void {
    this.#owner?.delete(this)
    this.#owner = owner
    if (!this.#isClosed) owner?.add(this)
  }

  close(): void {
    if (this.#isClosed) return
    this.#end()
    // Behind what was posted before.
    this.#turns.schedule(() => this.peer.#end())
  }

  /** Closes it with the thread that had it, which hears nothing of that. */
  sever(): void {
    this.removeAllListeners()
    this.close()
  }

  ref(): void {
    this.#isHeld = !this.#isClosed
  }

  unref(): void {
    this.#isHeld = false
  }

  hasRef(): boolean {
    return this.#isHeld
  }

  /** False: it is closed. */
  #deliver(message: unknown): boolean {
    if (this.#isClosed) return false
    if (this.#early === undefined) this.emit('message', message)
    else this.#early.push(message)
    return true
  }

  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isHeld = false
    this.#owner?.delete(this)
    this.#turns.schedule(() => this.emit('close'))
  }
}

export type { InlinePort }

/** Takes the place of a MessageChannel where nothing leaves this thread. */
export function newInlinePortPair(turns: TurnScheduler): PortPair {
  const port1 = new InlinePort(turns)
  const port2 = new InlinePort(turns)
  port1.peer = port2
  port2.peer = port1
  // Nobody asks more of a port than these have.
  return { port1: port1 as unknown as MessagePort, port2: port2 as unknown as MessagePort }
}

/** The inline ports among what a message moves. */
export function portsIn(transfer: readonly unknown[]): InlinePort[] {
  return transfer.filter((each) => each instanceof InlinePort)
}
