// How long a record waits for its next attempt: exponential, with jitter (Kafka:
// ExponentialBackoff, KIP-580). Pure; chance is injected.

import type { Random } from '../../random.ts'

/** How often a record is tried, and how long it waits in between. */
export interface RetryPolicy {
  /** All together: 1 means no retry. */
  readonly attempts: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
}

/** As in Kafka: a fifth more or less, so that what failed together does not come again together. */
const JITTER = 0.2

/** Milliseconds to wait behind the attempt of this number, from 1. */
export function retryBackoffMs({ backoffMs, backoffMaxMs }: RetryPolicy, attempt: number, random: Random): number {
  const termMs = Math.min(backoffMs * 2 ** (attempt - 1), backoffMaxMs)
  return Math.min(termMs * (1 - JITTER + 2 * JITTER * random.fraction()), backoffMaxMs)
}
