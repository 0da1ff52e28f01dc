// What the stream of page views says: views a minute, top pages, busiest clients.
//
// An RxJS chain, one on each consumer thread, over the partitions that are assigned
// to it. The counts live on that thread; twice a second a snapshot of their tops
// leaves it, and all of them when the stream ends. Snapshots of several threads are
// merged on the main thread: a client is on one partition and so in one of them, a
// page may be in all.

import type { Observable } from 'rxjs'
import { connect, defer, interval, map, merge, sample, scan, takeLast } from 'rxjs'
import type { Count } from './counts.ts'
import { MinuteCounts, TopCounts } from './counts.ts'

export const SNAPSHOT_MS = 500
const LIVE_LIMIT = 100

/** The part of a record that is counted. */
export interface ActivityRecord {
  readonly key: string
  readonly timestamp: number
  readonly value: { readonly path: string }
}

export interface ActivitySnapshot {
  readonly views: number
  readonly firstMs: number
  readonly lastMs: number
  /** Views a minute, oldest minute first; the key is the minute's start in milliseconds since 1970. */
  readonly minutes: readonly Count<number>[]
  readonly pages: readonly Count<string>[]
  readonly clients: readonly Count<string>[]
}

/** A snapshot every half second, of the tops only, and one of everything at the end. */
export function activityView(records: Observable<ActivityRecord>): Observable<ActivitySnapshot> {
  const live = (counts: Observable<ActivityCounts>): Observable<ActivitySnapshot> =>
    counts.pipe(
      sample(interval(SNAPSHOT_MS)),
      map((now) => now.snapshot(LIVE_LIMIT)),
    )
  const complete = (counts: Observable<ActivityCounts>): Observable<ActivitySnapshot> =>
    counts.pipe(
      takeLast(1),
      map((all) => all.snapshot(Number.POSITIVE_INFINITY)),
    )
  return defer(() =>
    records.pipe(
      scan((counts, record) => counts.add(record), new ActivityCounts()), // one object that grows, made for each subscriber
      connect((counts) => merge(live(counts), complete(counts))),
    ),
  )
}

export class ActivityCounts {
  readonly #minutes = new MinuteCounts()
  readonly #pages = new TopCounts()
  readonly #clients = new TopCounts()
  #views = 0
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY

  add(record: ActivityRecord): this {
    this.#views++
    if (record.timestamp < this.#firstMs) this.#firstMs = record.timestamp
    if (record.timestamp > this.#lastMs) this.#lastMs = record.timestamp
    this.#minutes.add(record.timestamp)
    this.#pages.add(record.value.path)
    this.#clients.add(record.key)
    return this
  }

  merge(snapshot: ActivitySnapshot): this {
    this.#views += snapshot.views
    this.#firstMs = Math.min(this.#firstMs, snapshot.firstMs)
    this.#lastMs = Math.max(this.#lastMs, snapshot.lastMs)
    this.#minutes.addAll(snapshot.minutes)
    this.#pages.addAll(snapshot.pages)
    this.#clients.addAll(snapshot.clients)
    return this
  }

  snapshot(limit: number): ActivitySnapshot {
    return {
      views: this.#views,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      minutes: this.#minutes.newest(limit),
      pages: this.#pages.top(limit),
      clients: this.#clients.top(limit),
    }
  }
}

export function mergeSnapshots(snapshots: readonly ActivitySnapshot[]): ActivityCounts {
  return snapshots.reduce((counts, snapshot) => counts.merge(snapshot), new ActivityCounts())
}
