// Control calls of one attached thread to whoever leads: the metadata log (the active
// controller) or another partition; when it dies, to the one after it.
// Runs on the attached thread. Holds: every call ends, at the latest with REQUEST_TIMED_OUT.

import type { ControlCalls, ControlClient } from '../actor/control-channel.ts'
import type { ThreadParker } from '../actor/thread-parker.ts'
import type { BrokerControl } from '../broker/broker-control.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { ErrorName } from '../errors.ts'
import { hasLeader, leaderBrokerOf, leaderEpochOf } from '../log/control-block.ts'
import type { ControlBlock } from '../log/control-block.ts'

export interface LeaderCallsOptions {
  readonly clock: Clock
  readonly parker: ThreadParker
  /** How long a call looks for a leader that answers. */
  readonly timeoutMs: number
  /** The way to a broker, while there is one. */
  readonly connectionTo: (brokerId: number) => ControlClient<BrokerControl> | undefined
  /** Asks for a new way to a broker; this thread is rung when there is one. */
  readonly reconnect: (brokerId: number) => void
  /** Why this thread has no millrace any more, once it is closed. */
  readonly closedError: () => MillraceError | undefined
}

/** The one that was asked does not lead, or will not in a moment: the active controller, or the leader of a partition. */
const LEADER_GONE: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'THREAD_DIED',
  'NOT_CONTROLLER',
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_COORDINATOR',
  'ACTOR_FAILED',
])

export class LeaderCalls {
  readonly #options: LeaderCallsOptions

  constructor(options: LeaderCallsOptions) {
    this.#options = options
  }

  /**
   * Asks the leader; when it dies, the one after it. Rejects with what it answers, or REQUEST_TIMED_OUT. `hold` false: waiting for
   * its answer does not keep the process alive.
   */
  ask<T>(
    control: ControlBlock,
    who: string,
    call: (leader: ControlCalls<BrokerControl>) => Promise<T>,
    signal: AbortSignal | undefined,
    hold = true,
  ): Promise<T> {
    const { connectionTo, reconnect } = this.#options
    const { incarnation } = control
    return this.#inTime(who, signal, async (either) => {
      for (;;) {
        if (control.isDeleting || control.incarnation !== incarnation) throw deletedError(who)
        const word = control.leaderWord()
        const connection = connectionTo(leaderBrokerOf(word))
        if (connection !== undefined) {
          try {
            return await call(connection.with({ signal: either, hold }))
          } catch (error) {
            // In doubt whether it was done; each of these calls may be repeated.
            if (!(error instanceof MillraceError) || !LEADER_GONE.has(error.code)) throw error
          }
        } else if (hasLeader(word)) {
          reconnect(leaderBrokerOf(word))
        }
        await this.#leaderChanged(control, word, connection, either)
      }
    })
  }

  /** Waits until each partition has the leader of this epoch, or of a later one. */
  untilLed(
    who: string,
    partitions: readonly { control: ControlBlock; leaderEpoch: number }[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { parker } = this.#options
    let led = 0
    const areLed = (): boolean => {
      for (; led < partitions.length; led++) {
        const { control, leaderEpoch } = partitions[led]!
        control.addWaiter(parker.threadId)
        const word = control.leaderWord()
        if (!control.isDeleting && (!hasLeader(word) || leaderEpochOf(word) < leaderEpoch)) return false
      }
      return true
    }
    return this.#inTime(who, signal, (either) => parker.wait(areLed, { signal: either }))
  }

  /** Waits until another broker leads, or the way to the one that does has changed. */
  #leaderChanged(
    control: ControlBlock,
    seen: bigint,
    connection: ControlClient<BrokerControl> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { parker, connectionTo } = this.#options
    const changed = (): boolean => {
      control.addWaiter(parker.threadId)
      return control.leaderWord() !== seen || control.isDeleting || connectionTo(leaderBrokerOf(seen)) !== connection
    }
    return parker.wait(changed, { signal })
  }

  /** Work that ends, at the latest, with REQUEST_TIMED_OUT, which names who it waited for. */
  async #inTime<T>(who: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timeoutMs, closedError } = this.#options
    const deadline = new AbortController()
    const timer = clock.setTimer(timeoutMs, () => deadline.abort())
    const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal])
    try {
      return await work(either)
    } catch (error) {
      const closed = closedError()
      if (closed !== undefined) throw closed
      if (deadline.signal.aborted && signal?.aborted !== true) {
        const message = `no ${who} answered within ${timeoutMs} ms: are all broker threads blocked or dead?`
        throw new MillraceError('REQUEST_TIMED_OUT', message)
      }
      throw error
    } finally {
      timer.cancel()
    }
  }
}

export function deletedError(who: string): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC_ID', `the topic of the ${who} was deleted: bind it again`, { retriable: false })
}

/** In errors. */
export function leaderOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `leader of ${topic}-${partition}`
}
