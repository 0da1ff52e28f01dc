// What the stream of page views says: views a minute, top pages, busiest clients.
//
// An RxJS chain, on each consumer thread, over the batches of the partitions that its
// group assigns to it. What a batch adds leaves the thread at once, with the offsets
// that it covers: the counts are kept where they outlive it, on the main thread.

import type { Observable } from 'rxjs'
import { concatMap, from, map, reduce } from 'rxjs'
import { ClientLedger } from './client-ledger.ts'
import type { LedgerPart } from './client-ledger.ts'
import type { Count } from './counts.ts'
import { MinuteCounts, TopCounts } from './counts.ts'
import { activityBytes } from './topics.ts'
import type { UserActivity } from './topics.ts'

/** A batch of records, as a consumer hands it out. */
export interface ActivityBatch extends Iterable<ActivityRecord & { readonly value: UserActivity }> {
  readonly partition: number
  readonly firstOffset: number
  readonly nextOffset: number
}

/** What one batch adds. */
export interface ActivityShare {
  readonly partition: number
  readonly firstOffset: number
  readonly nextOffset: number
  /** As in the shared progress. */
  readonly bytes: number
  readonly view: ActivitySnapshot
  readonly lines: LedgerPart
}

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

export function activityShares(batches: Observable<ActivityBatch>): Observable<ActivityShare> {
  return batches.pipe(
    concatMap((batch) =>
      from(batch).pipe(
        reduce((share, { key, timestamp, value }) => share.add(key, timestamp, value), new BatchShare()),
        map((share) => share.of(batch)),
      ),
    ),
  )
}

class BatchShare {
  readonly #counts = new ActivityCounts()
  readonly #ledger = new ClientLedger()
  #bytes = 0

  add(key: string, timestamp: number, value: UserActivity): this {
    this.#counts.add({ key, timestamp, value })
    this.#ledger.add(key, timestamp, value)
    this.#bytes += activityBytes(key, value)
    return this
  }

  of({ partition, firstOffset, nextOffset }: ActivityBatch): ActivityShare {
    const view = this.#counts.all()
    return { partition, firstOffset, nextOffset, bytes: this.#bytes, view, lines: this.#ledger.part() }
  }
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

  /** The newest minutes, the top pages and the busiest clients. */
  snapshot(limit: number): ActivitySnapshot {
    return {
      ...this.#span(),
      minutes: this.#minutes.newest(limit),
      pages: this.#pages.top(limit),
      clients: this.#clients.top(limit),
    }
  }

  /** Everything, in no order: to be merged. */
  all(): ActivitySnapshot {
    return { ...this.#span(), minutes: this.#minutes.all(), pages: this.#pages.all(), clients: this.#clients.all() }
  }

  #span(): Pick<ActivitySnapshot, 'views' | 'firstMs' | 'lastMs'> {
    return { views: this.#views, firstMs: this.#firstMs, lastMs: this.#lastMs }
  }
}
