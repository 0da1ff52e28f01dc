// What the stream of page views says: views a minute, top pages, busiest clients.
//
// Counted on each consumer thread, in batches of the records that its group assigns to it.
// What a batch adds leaves the thread at once, with the offsets that it covers: the counts
// are kept where they outlive it, on the main thread.

import { ClientLedger } from './client-ledger.ts'
import type { LedgerPart } from './client-ledger.ts'
import type { Count } from './counts.ts'
import { MinuteCounts, TopCounts } from './counts.ts'
import { activityBytes } from './topics.ts'
import type { UserActivity } from './topics.ts'

/** A record, as a chain hands it on. */
export interface ReadRecord extends ActivityRecord {
  readonly partition: number
  readonly offset: number
  readonly value: UserActivity
}

/** What one batch adds, for one partition. */
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

/**
 * Counts what a consumer thread reads, from where main says that a partition is counted already. A group
 * commits now and then: where a thread has died, some records come again, and are left out here.
 */
export class ActivityShares {
  /** Of each partition that is this thread's: the next offset to count. */
  readonly #positions = new Map<number, number>()

  begin(partition: number, position: number): void {
    this.#positions.set(partition, position)
  }

  end(partition: number): void {
    this.#positions.delete(partition)
  }

  /** One for each partition of which there is something new. Throws when records are missing. */
  of(records: readonly ReadRecord[]): ActivityShare[] {
    const shares = new Map<number, BatchShare>()
    for (const record of records) {
      const { partition, offset } = record
      const position = this.#positions.get(partition)
      if (position === undefined || offset < position) continue
      if (offset > position) throw new Error(`records of partition ${partition} went before they were read`)
      let share = shares.get(partition)
      if (share === undefined) {
        share = new BatchShare(partition, offset)
        shares.set(partition, share)
      }
      share.add(record)
      this.#positions.set(partition, offset + 1)
    }
    return [...shares.values()].map((share) => share.whole())
  }
}

class BatchShare {
  readonly #partition: number
  readonly #firstOffset: number
  readonly #counts = new ActivityCounts()
  readonly #ledger = new ClientLedger()
  #nextOffset: number
  #bytes = 0

  constructor(partition: number, firstOffset: number) {
    this.#partition = partition
    this.#firstOffset = firstOffset
    this.#nextOffset = firstOffset
  }

  add({ key, timestamp, value }: ReadRecord): void {
    this.#counts.add({ key, timestamp, value })
    this.#ledger.add(key, timestamp, value)
    this.#bytes += activityBytes(key, value)
    this.#nextOffset++
  }

  whole(): ActivityShare {
    return {
      partition: this.#partition,
      firstOffset: this.#firstOffset,
      nextOffset: this.#nextOffset,
      bytes: this.#bytes,
      view: this.#counts.all(),
      lines: this.#ledger.part(),
    }
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
