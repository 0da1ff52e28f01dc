// One step of a group coordinator while it is made: what follows from one event, gathered
// from all that had a hand in it.
// Pure.

import type { ErrorName } from '../../errors.ts'
import type { CoordinatorReply, CoordinatorStep, RequestId } from '../coordinator-shard.ts'
import type { GroupRecord } from './group.ts'

interface PlannedReply extends CoordinatorReply {
  /** What is answered when the records find no room; undefined: the same. */
  readonly otherwise: ((error: ErrorName) => unknown) | undefined
}

export class GroupStep {
  readonly nowMs: number
  readonly wallMs: number
  /** The request that this step is about; undefined: a timer, or something else that happened. */
  readonly requestId: RequestId | undefined
  readonly records: GroupRecord[] = []
  readonly #replies: PlannedReply[] = []
  readonly #timers = new Map<string, number | undefined>()
  readonly #news = new Set<string>()
  readonly #fenced = new Set<string>()
  readonly #onFailed: ((error: ErrorName, step: GroupStep) => void)[] = []

  constructor(nowMs: number, wallMs: number, requestId?: RequestId) {
    this.nowMs = nowMs
    this.wallMs = wallMs
    this.requestId = requestId
  }

  reply(requestId: RequestId, response: unknown, otherwise?: (error: ErrorName) => unknown): void {
    this.#replies.push({ requestId, response, otherwise })
  }

  timer(timer: string, atMs: number | undefined): void {
    this.#timers.set(timer, atMs)
  }

  news(memberKey: string): void {
    this.#news.add(memberKey)
  }

  /** A local member is out of its group and did not ask to be. */
  fence(clientHost: string): void {
    this.#fenced.add(clientHost)
  }

  /** The records found no room; what else follows then goes into the step that is given. */
  onFailed(then: (error: ErrorName, step: GroupStep) => void): void {
    this.#onFailed.push(then)
  }

  build(): CoordinatorStep<GroupRecord> {
    const step = {
      ...(this.records.length > 0 ? { records: this.records } : {}),
      ...(this.#replies.length > 0 ? { replies: this.#replies.map(({ requestId, response }) => ({ requestId, response })) } : {}),
      ...(this.#timers.size > 0 ? { timers: [...this.#timers].map(([timer, atMs]) => ({ timer, atMs })) } : {}),
      ...(this.#news.size > 0 ? { news: [...this.#news] } : {}),
      ...(this.#fenced.size > 0 ? { fenced: [...this.#fenced] } : {}),
    }
    return this.records.length > 0 ? { ...step, failed: (error) => this.#failed(error) } : step
  }

  /** What is in memory has happened all the same: timers, others' answers and who is fenced stay as they are. */
  #failed(error: ErrorName): CoordinatorStep<GroupRecord> {
    const step = new GroupStep(this.nowMs, this.wallMs)
    for (const { requestId, response, otherwise } of this.#replies) {
      if (requestId !== this.requestId) step.reply(requestId, otherwise === undefined ? response : otherwise(error))
    }
    for (const [timer, atMs] of this.#timers) step.timer(timer, atMs)
    for (const member of this.#news) step.news(member)
    for (const clientHost of this.#fenced) step.fence(clientHost)
    for (const then of this.#onFailed) then(error, step)
    return step.build()
  }
}
