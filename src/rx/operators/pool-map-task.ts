// What a thread of `mapInPool` is asked, and what it answers.

import type { TaskAnswer } from '../../actor/worker-pool.ts'

export interface PoolMapTask {
  /** The user's module. */
  readonly url: string
  readonly values: readonly unknown[]
}

/** By value, in their order. */
export type PoolMapAnswers = readonly TaskAnswer<unknown>[]
