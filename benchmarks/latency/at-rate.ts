// Offering at a fixed rate, from one thread, whatever becomes of what was offered before.

import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls `offer` with 0 to `records` - 1, so many times a second. A late tick of the timer is made up for at once, so the
 * rate holds; an `offer` that gives a promise is waited for.
 */
export async function atRate(records: number, recordsPerSecond: number, offer: (i: number) => Promise<void> | undefined): Promise<void> {
  const startNs = process.hrtime.bigint()
  let offered = 0
  while (offered < records) {
    const elapsedSeconds = Number(process.hrtime.bigint() - startNs) / 1e9
    const due = Math.min(records, Math.floor(elapsedSeconds * recordsPerSecond) + 1)
    for (; offered < due; offered++) {
      const wait = offer(offered)
      if (wait !== undefined) await wait
    }
    await sleep(1)
  }
}
