// The ways of one attached thread to the brokers: a control channel to each incarnation of
// each, and a new one when a broker was lost and runs again. Runs on the attached thread.
// Who is lost is asked for at once: a failover needs no answer of the host.
// Holds: the end of a broker's thread is heard of once for each incarnation, but for those
// that millrace ends when it closes: that all is over is told by the host.

import { connectControl } from '../actor/control-channel.ts'
import type { ControlClient } from '../actor/control-channel.ts'
import type { BrokerConnection, BrokerControl, HostControl } from '../broker/broker-control.ts'
import { MillraceError } from '../errors.ts'
import { threadId } from '../ids.ts'
import type { ThreadId } from '../ids.ts'

export interface Connection {
  readonly incarnation: number
  /** The broker's bell. */
  readonly thread: ThreadId
  readonly control: ControlClient<BrokerControl>
}

export interface ConnectionsEffects {
  /** The ways have changed: everybody who waits on this thread looks again. */
  readonly onChange: () => void
  /** Whether that incarnation of a broker has come to run. */
  readonly hasStarted: (brokerId: number, incarnation: number) => boolean
  /** Whether millrace is being closed. */
  readonly isClosing: () => boolean
}

export class BrokerConnections {
  readonly #host: ControlClient<HostControl>
  readonly #effects: ConnectionsEffects
  readonly #connections = new Map<number, Connection>()
  readonly #connecting = new Set<number>()
  /** By broker id: the latest incarnation whose end was seen. */
  readonly #lostIncarnations = new Map<number, number>()
  readonly #lostListeners = new Set<(brokerId: number) => void>()
  #closed = false

  constructor(host: ControlClient<HostControl>, effects: ConnectionsEffects) {
    this.#host = host
    this.#effects = effects
  }

  /**
   * The way to a broker that runs. One that is started again leads nothing yet, although a leader word may name it:
   * what would be sent to it there waits for its thread to load its code, while others take over at once.
   */
  get(brokerId: number): Connection | undefined {
    const connection = this.#connections.get(brokerId)
    return connection !== undefined && this.#effects.hasStarted(brokerId, connection.incarnation) ? connection : undefined
  }

  connect({ brokerId, incarnation, thread, port }: BrokerConnection): void {
    const control = connectControl<BrokerControl>(port, { name: `broker ${brokerId}` })
    this.#connections.set(brokerId, { incarnation, thread: threadId(thread), control })
    control.onClose(() => {
      this.#lostIncarnations.set(brokerId, incarnation)
      if (this.#connections.get(brokerId)?.control === control) this.#connections.delete(brokerId)
      if (this.#closed || this.#effects.isClosing()) return
      for (const listener of [...this.#lostListeners]) listener(brokerId)
      this.#effects.onChange()
      // Now, though nobody needs it yet: when it leads again, the host may be too busy to answer.
      void this.reconnect(brokerId)
    })
  }

  /** Asks for a connection to the next incarnation of a broker that was lost; the answer may come late, and it may be none. */
  async reconnect(brokerId: number): Promise<void> {
    if (this.#closed || this.#connecting.has(brokerId) || this.#connections.has(brokerId)) return
    this.#connecting.add(brokerId)
    try {
      const lost = this.#lostIncarnations.get(brokerId) ?? 0
      const connected = await this.#host.with({ hold: false }).connectBroker(brokerId, lost)
      if (connected === undefined) return
      if (this.#closed) connected.port.close()
      else this.connect(connected)
    } catch (error) {
      // The host is gone: its port says so.
      if (error instanceof MillraceError) return
      throw error
    } finally {
      this.#connecting.delete(brokerId)
    }
    this.#effects.onChange()
  }

  /** Calls back with each broker whose thread has ended. Gives the way to take it back. */
  onLost(listener: (brokerId: number) => void): () => void {
    this.#lostListeners.add(listener)
    return () => this.#lostListeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    for (const { control } of this.#connections.values()) control.close()
    this.#connections.clear()
  }
}
