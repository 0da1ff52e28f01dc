// One end of a message port that carries control calls, and its death.
//
// Runs on the thread that holds the port. Holds: the end of the port is noticed once,
// whether this side closed it or the other side's thread ended (its `close` comes
// within milliseconds, also while the main thread is busy); a port whose peer had gone
// before anybody listened is found out at once; a port keeps its thread's event loop
// alive only between `hold` and `release`. Both directions of calls may share a port:
// `of` gives every caller the same ControlPort.

import type { MessagePort, Transferable } from 'node:worker_threads'

/** `closed`: this side closed it. `peer-gone`: the other side's thread ended, or it closed its end. */
export type ControlCloseReason = 'closed' | 'peer-gone'

const CONTROL_PORTS = new WeakMap<MessagePort, ControlPort>()

export class ControlPort {
  readonly #port: MessagePort
  readonly #closeListeners = new Set<(reason: ControlCloseReason) => void>()
  #endedBy: ControlCloseReason | undefined
  #holds = 0

  static of(port: MessagePort): ControlPort {
    const known = CONTROL_PORTS.get(port)
    if (known !== undefined) return known
    const controlPort = new ControlPort(port)
    CONTROL_PORTS.set(port, controlPort)
    return controlPort
  }

  private constructor(port: MessagePort) {
    this.#port = port
    port.on('close', () => this.#end('peer-gone'))
    // A message that cannot be read here would leave its caller waiting for ever.
    port.on('messageerror', () => port.close())
    // `close` is emitted once, perhaps before this listener came. A closed handle cannot be ref'd: that tells.
    port.ref()
    if (port.hasRef()) port.unref()
    else this.#endedBy = 'peer-gone'
  }

  /** Why it ended; undefined while it is open. */
  get endedBy(): ControlCloseReason | undefined {
    return this.#endedBy
  }

  /** Throws what structured cloning throws; on an ended port it does nothing. */
  post(message: unknown, transfer: Transferable[]): void {
    this.#port.postMessage(message, transfer)
  }

  onMessage(listener: (data: unknown) => void): void {
    this.#port.on('message', listener)
    // The first listener refs the port; only a hold may.
    if (this.#holds === 0) this.#port.unref()
  }

  /** Calls back once, in a microtask if the port has ended already. Gives the way to take it back. */
  onClose(listener: (reason: ControlCloseReason) => void): () => void {
    const endedBy = this.#endedBy
    if (endedBy !== undefined) queueMicrotask(() => listener(endedBy))
    else this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
  }

  hold(): void {
    if (this.#holds++ === 0) this.#port.ref()
  }

  release(): void {
    if (--this.#holds === 0) this.#port.unref()
  }

  /** What was posted before is still delivered; nobody is told twice. */
  close(): void {
    if (this.#endedBy !== undefined) return
    this.#port.close()
    this.#end('closed')
  }

  #end(reason: ControlCloseReason): void {
    if (this.#endedBy !== undefined) return
    this.#endedBy = reason
    for (const listener of [...this.#closeListeners]) listener(reason)
    this.#closeListeners.clear()
  }
}
