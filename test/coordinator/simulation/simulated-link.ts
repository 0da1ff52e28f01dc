// The way from a client to the coordinator and back: requests of one client arrive in the
// order in which they were sent, answers in any; both take time. Behind a socket either may be
// lost, and then the client hears after a while that nobody answered; a request may come twice,
// and then only the second is answered.

import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../../../src/coordinator/group/group-requests.ts'
import type { ErrorName } from '../../../src/errors.ts'
import type { ConsumerGroupHeartbeatRequest } from '../../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import type { SimulatedThread } from './simulated-thread.ts'
import type { SimulationWorld } from './simulation-world.ts'

export interface LinkCall<Api extends GroupApi> {
  readonly api: Api
  readonly request: GroupRequestOf<Api>
  /** 0 unless said. */
  readonly holdMs?: number
  readonly heard: (response: GroupResponseOf<Api>) => void
  readonly unheard: (error: ErrorName) => void
}

const REQUEST_TIMEOUT_MS = 1_000
const CALM_DELAY_MS = 1

export class SimulatedLink {
  readonly #world: SimulationWorld
  readonly #thread: SimulatedThread
  readonly #name: string
  readonly #apiVersion: number | undefined
  #lastArrivalMs = 0

  /** `apiVersion` of the classic requests; undefined: the newest. */
  constructor(world: SimulationWorld, thread: SimulatedThread, name: string, apiVersion?: number) {
    this.#world = world
    this.#thread = thread
    this.#name = name
    this.#apiVersion = apiVersion
  }

  /** Once, unless it is cancelled or its thread dies, one of `heard` and `unheard` is called. */
  ask<Api extends GroupApi>(call: LinkCall<Api>): { cancel(): void } {
    const { queue, random, swarm, isCalm, coordinator } = this.#world
    const thread = this.#thread
    let isOver = false
    const once = (work: () => void): void => {
      if (isOver) return
      thread.run(() => {
        if (isOver) return
        isOver = true
        work()
      })
    }
    const isUnreliable = !thread.isLocal && !isCalm
    const timeOut = (): void => {
      queue.setTimer((call.holdMs ?? 0) + REQUEST_TIMEOUT_MS, () => once(() => call.unheard('REQUEST_TIMED_OUT')))
    }
    const isLost = (): boolean => isUnreliable && random.fraction() < swarm.lossShare
    const back = (work: () => void): void => {
      if (isLost()) timeOut()
      else queue.setTimer(this.#delayMs(), () => once(work))
    }
    const arrive = (isAnswered: boolean): void => {
      // What a thread has sent is heard before its end; after that there is nobody.
      if (thread.isGone) return
      const version = this.#apiVersion === undefined ? {} : { apiVersion: this.#apiVersion }
      const context = { clientId: this.#name, clientHost: thread.host, isLocal: thread.isLocal, ...version }
      coordinator.take({
        api: call.api,
        request: call.request,
        context,
        holdMs: call.holdMs ?? 0,
        from: this.#name,
        answer: (response) => isAnswered && back(() => call.heard(response as GroupResponseOf<Api>)),
        refuse: (error) => isAnswered && back(() => call.unheard(error)),
      })
    }
    if (isLost()) timeOut()
    else {
      // The client gave the first up and sent it again: whatever becomes of the first, nobody hears of it.
      if (isUnreliable && isRepeatable(call) && random.fraction() < swarm.duplicateShare) this.#send(() => arrive(false))
      this.#send(() => arrive(true))
    }
    return { cancel: () => (isOver = true) }
  }

  #send(arrive: () => void): void {
    const { queue } = this.#world
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, queue.monotonicMs() + this.#delayMs())
    queue.at(this.#lastArrivalMs, arrive)
  }

  #delayMs(): number {
    const { random, swarm, isCalm } = this.#world
    return random.fraction() * (isCalm ? Math.min(CALM_DELAY_MS, swarm.delayMs) : swarm.delayMs)
  }
}

/** A client that did not hear the answer to a heartbeat says everything in the next one. */
function isRepeatable({ api, request }: { readonly api: GroupApi; readonly request: unknown }): boolean {
  return api !== 'consumerGroupHeartbeat' || (request as ConsumerGroupHeartbeatRequest).topicPartitions !== null
}
