// The options of `aggregate`.

import { fillOptions } from '../../config-def.ts'
import type { ConfigTable } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import type { AnyAggregator } from '../windows/window-store.ts'
import type { Windows } from '../windows/windows.ts'

/** When results come: each time that a record changes a window, or once, when it closes (KIP-825). */
export type Emit = 'update' | 'close'

/** What `aggregate` is told. */
export interface AggregateOptions<K, V, E extends Emit = Emit> {
  /** 'close': one result a window, when it closes. 'update': one with each record, the last of which stands. */
  readonly emit: E
  /** Given the records that came after all their windows had closed, within the call that brought them. Default: they are dropped. */
  readonly late?: ((record: MillraceRecord<K, V>) => void) | { next(record: MillraceRecord<K, V>): void }
  /** The time of a record, milliseconds since the epoch. Default: its timestamp. */
  readonly timestampOf?: (record: MillraceRecord<K, V>) => number
  /** Behind `keyBy`, in a group: part of the internal topic's name. Default: the name of the topic that is read. */
  readonly name?: string
  /** 'as-is': no internal topic behind `keyBy`, each partition counts for itself. Default: undefined. */
  readonly partitioned?: 'as-is'
}

export interface FilledAggregateOptions {
  readonly emit: Emit
  readonly late: ((record: unknown) => void) | { next(record: unknown): void } | undefined
  readonly timestampOf: ((record: MillraceRecord<unknown, unknown>) => number) | undefined
  readonly name: string | undefined
  readonly partitioned: 'as-is' | undefined
}

const AGGREGATE_CONFIG: ConfigTable<FilledAggregateOptions> = {
  what: 'aggregate option',
  settings: {
    emit: {
      type: 'one of',
      values: ['update', 'close'],
      spellings: { onWindowUpdate: 'update', onWindowClose: 'close' },
      default: 'close',
      takesEffect: 'at open',
      doc: 'When results come.',
    },
    late: {
      type: 'custom',
      expects: 'a function of the record, or an observer',
      accepts: (value) => typeof value === 'function' || typeof (value as { next?: unknown } | null)?.next === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'Given the records that came after all their windows had closed.',
    },
    timestampOf: {
      type: 'custom',
      expects: 'a function of the record',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'The time of a record.',
    },
    name: { type: 'string', default: undefined, takesEffect: 'at open', doc: "Part of the internal topic's name." },
    partitioned: {
      type: 'one of',
      values: ['as-is'],
      default: undefined,
      takesEffect: 'at open',
      doc: 'No internal topic behind keyBy.',
    },
  },
  answer: (name) => (name === 'store' ? 'state stores are not there yet: aggregate over a window' : undefined),
}

/** Throws INVALID_CONFIG, and INVALID_REQUEST where there is no window. */
export function checkAggregate(windows: Windows, aggregator: AnyAggregator, options: unknown): FilledAggregateOptions {
  const kind: unknown = (windows as Partial<Windows> | undefined)?.kind
  if (kind !== 'time' && kind !== 'sliding' && kind !== 'session') {
    const isAggregator = typeof (windows as { seed?: unknown } | undefined)?.seed === 'function'
    const why = isAggregator ? 'without a window it needs a state store, which is not there yet: give' : 'its first argument is'
    throw new MillraceError('INVALID_REQUEST', `aggregate: ${why} tumbling(…), hopping(…), sliding(…) or session(…)`)
  }
  if (typeof (aggregator as Partial<AnyAggregator> | undefined)?.seed !== 'function')
    throw new MillraceError(
      'INVALID_REQUEST',
      "aggregate: its second argument is one of millrace's count(), sum(…), min(…), max(…), reduce(…)",
    )
  if (kind === 'session' && aggregator.merge === undefined) {
    const remedy = 'give it { merge: (first, second) => … }'
    throw new MillraceError(
      'INVALID_REQUEST',
      `aggregate: sessions merge, and ${aggregator.name} does not say how two states become one: ${remedy}`,
    )
  }
  const emit: unknown = (options as { emit?: unknown } | undefined)?.emit
  if (emit === undefined) {
    const remedy = "'close' for one result a window, 'update' for one with each record"
    throw new MillraceError('INVALID_CONFIG', `aggregate option emit must be given: ${remedy}`)
  }
  return fillOptions(AGGREGATE_CONFIG, options as never)
}
