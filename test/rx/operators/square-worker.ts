// What `mapInPool` runs in its tests.

import { threadId } from 'node:worker_threads'

export default async function square(value: number): Promise<{ square: number; threadId: number }> {
  if (value < 0) throw new RangeError(`${value} is below 0`)
  // Some take longer than those behind them.
  if (value % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  return { square: value * value, threadId }
}
