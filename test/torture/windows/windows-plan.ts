// What is sent, how time goes, and which windows come of it. Pure.

import { tumbling } from '../../../src/rxjs.ts'
import type { Random } from '../../../src/random.ts'

export const GROUP = 'pages'
export const THREADS = 3
export const PARTITIONS = 4
export const PAGES = 24
export const WINDOW_MS = 100
/** A window takes records until the third one behind it begins. */
export const WINDOWS = tumbling({ sizeMs: WINDOW_MS, graceMs: 3 * WINDOW_MS })
/**
 * A record of a window closes the one so many before it: before it is sent, what is in that one has gone through the
 * internal topic, so that nothing is late, however slow a thread is.
 */
export const AHEAD = 4

export interface Click {
  readonly user: string
  readonly page: string
  readonly timeMs: number
}

/** The records of one window, in any order; of each page there is one. */
export function clicksOf(window: number, random: Random): Click[] {
  const clicks: Click[] = []
  for (let page = 0; page < PAGES; page++) {
    for (let n = 1 + random.below(5); n > 0; n--) {
      const timeMs = window * WINDOW_MS + random.below(WINDOW_MS)
      clicks.push({ user: `user-${random.below(1_000)}`, page: `page-${page}`, timeMs })
    }
  }
  return clicks
}

/** How often each page was in it. */
export function countsOf(clicks: readonly Click[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { page } of clicks) counts.set(page, (counts.get(page) ?? 0) + 1)
  return counts
}
