// The access log of the examples as page views, and what sends them: a few every ten
// milliseconds while there is something to look at, fewer the fewer there are left, so that
// there are some however slow the machine is; all the rest at once at the end.

import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Producer, Topic } from '../../src/index.ts' // in your code: from 'millrace'
import { parseLine } from '../user-activity/parse-line.ts'
import type { UserActivity } from '../user-activity/topics.ts'

/** Of what is left, in a portion. */
const PORTION_SHARE = 1 / 1_000
const PORTION_MS = 10
/** The last ones have to last. */
const LAST_LINES = 300
const LAST_PORTION_MS = 50

export interface PageView {
  readonly client: string
  readonly timestamp: number
  readonly activity: UserActivity
}

/** The lines that can be parsed, in their order; each client's are numbered from 1. */
export function pageViews(): PageView[] {
  const text = gunzipSync(readFileSync(new URL('../data/access.log.gz', import.meta.url))).toString()
  const sequences = new Map<string, number>()
  const views: PageView[] = []
  for (const line of text.trimEnd().split('\n')) {
    const parsed = parseLine(line)
    if ('malformed' in parsed) continue
    const { client, timestampMs, visit } = parsed
    const sequence = (sequences.get(client) ?? 0) + 1
    sequences.set(client, sequence)
    views.push({ client, timestamp: timestampMs, activity: { ...visit, sequence } })
  }
  return views
}

export class Feed {
  readonly #views: readonly PageView[]
  readonly #producer: Producer
  readonly #topic: Topic<string, UserActivity>
  #isSlow = true
  #sent = 0

  constructor(views: readonly PageView[], producer: Producer, topic: Topic<string, UserActivity>) {
    this.#views = views
    this.#producer = producer
    this.#topic = topic
  }

  get sent(): number {
    return this.#sent
  }

  /** Resolves when all of them are in the log. */
  async run(): Promise<void> {
    let portion = 0
    for (const { client, timestamp, activity } of this.#views) {
      while (!this.#producer.offer(this.#topic, client, activity, { timestamp })) await this.#producer.drained()
      this.#sent++
      const left = this.#views.length - this.#sent
      if (!this.#isSlow || ++portion < left * PORTION_SHARE) continue
      portion = 0
      await pause(left > LAST_LINES ? PORTION_MS : LAST_PORTION_MS)
    }
    await this.#producer.flush()
  }

  hurry(): void {
    this.#isSlow = false
  }
}
