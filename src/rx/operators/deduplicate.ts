// Each of a kind once, as far as memory goes.

import { filter } from 'rxjs'
import { Observable } from 'rxjs'
import type { MonoTypeOperatorFunction } from 'rxjs'
import { fillOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import { originOf } from '../millrace-record.ts'
import type { SourcePartition } from '../source-partition.ts'

interface FilledDeduplicateOptions {
  /** Two records further apart than this, by their timestamps, are no duplicates. Default: 3600000. */
  readonly windowMs: number
  /** Ids that are kept at the most; the oldest goes first. Default: 100000. */
  readonly maxKeys: number
}

/** What `deduplicate` takes beside what tells records apart; everything has a default. */
export type DeduplicateOptions = OptionsOf<FilledDeduplicateOptions>

const DEDUPLICATE_CONFIG: ConfigTable<FilledDeduplicateOptions> = {
  what: 'deduplicate option',
  settings: {
    windowMs: {
      type: 'long',
      min: 1,
      default: 3_600_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'Two records further apart than this, by their timestamps, are no duplicates.',
    },
    maxKeys: {
      type: 'int',
      min: 1,
      default: 100_000,
      takesEffect: 'at open',
      doc: 'Ids that are kept at the most; the oldest goes first.',
    },
  },
  renamed: { ttlMs: 'windowMs', maxSize: 'maxKeys', max: 'maxKeys' },
}

/** Where an id was first seen. */
interface Seen {
  readonly timestampMs: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly readAs: SourcePartition | undefined
}

/**
 * Drops records whose id, as `idOf` gives it, came by before: within `windowMs`, and among the last `maxKeys` ids. An id of
 * null or undefined is never a duplicate. It knows what this subscription has seen, in memory: after a restart, or in another
 * member of the group, it begins with nothing. A record that is read again, since it was not settled, is no duplicate of itself.
 * What `idOf` throws ends the Observable. Throws INVALID_CONFIG.
 *
 * ```ts
 * fromTopic(payments, { groupId: 'ledger' }).pipe(deduplicate(({ value }) => value.paymentId, { windowMs: 600_000 }))
 * ```
 */
export function deduplicate<K, V>(
  idOf: (record: MillraceRecord<K, V>) => string | number | bigint | null | undefined,
  options?: DeduplicateOptions,
): MonoTypeOperatorFunction<MillraceRecord<K, V>> {
  const { windowMs, maxKeys } = fillOptions(DEDUPLICATE_CONFIG, options)
  return (source) =>
    new Observable((subscriber) => {
      const seen = new Map<string | number | bigint, Seen>()
      // One for all of them: each new one would pass by what was deleted.
      const oldest = seen.keys()
      const isNew = (record: MillraceRecord<K, V>): boolean => {
        const id = idOf(record)
        if (id === null || id === undefined) return true
        const before = seen.get(id)
        const now = seenIn(record)
        if (before !== undefined && Math.abs(now.timestampMs - before.timestampMs) < windowMs && !isReadAgain(before, now)) return false
        // Behind those that came before it.
        seen.delete(id)
        seen.set(id, now)
        if (seen.size > maxKeys) seen.delete(oldest.next().value!)
        return true
      }
      return source.pipe(filter(isNew)).subscribe(subscriber)
    })
}

function seenIn(record: MillraceRecord<unknown, unknown>): Seen {
  const { timestamp, topic, partition, offset } = record
  return { timestampMs: timestamp, topic, partition, offset, readAs: originOf(record)?.partition }
}

/** The same record, after its partition was another's for a while. */
function isReadAgain(before: Seen, now: Seen): boolean {
  return before.readAs !== now.readAs && before.offset === now.offset && before.partition === now.partition && before.topic === now.topic
}
