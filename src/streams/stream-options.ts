// The options of streams from and to topics: a few of their own, beside all of the consumer
// or producer that a stream opens. Runs on the user's thread, when a stream is made.

import { INT_MAX, fillOptions, foldName, settingsOf } from '../config-def.ts'
import type { ConfigTable, OptionsOf } from '../config-def.ts'
import type { ConsumerOptions } from '../client/consumer/consumer-config.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import type { ProducerOptions } from '../client/producer/producer-config.ts'
import { MillraceError } from '../errors.ts'

export interface FilledReadStreamOptions {
  /** 'end': the stream ends at the end offsets as they are when it is made. Without it, it waits for more. Default: undefined. */
  readonly until: 'end' | undefined
  /** Partitions to read, by number from 0; all of them, or those of the group, unless given. Default: undefined. */
  readonly partitions: Iterable<number> | undefined
  /** Ends the stream with ABORTED, and closes its consumer. Default: undefined. */
  readonly signal: AbortSignal | undefined
  /** Told when retention took records before they were read. Without it, a warning. Default: undefined. */
  readonly onOvertaken: ((event: Overtaken) => void) | undefined
}

/** What a stream from a topic takes, beside all options of `millrace.consumer(options)`; everything has a default. */
export type ReadStreamOptions = OptionsOf<FilledReadStreamOptions> & ConsumerOptions

export interface FilledWriteStreamOptions {
  /** Records that the stream takes although the producer's memory is full; then it asks to wait. Default: 16. */
  readonly highWaterMark: number
  /** Ends the stream with ABORTED, and closes its producer. Default: undefined. */
  readonly signal: AbortSignal | undefined
}

/** What a stream to a topic takes, beside all options of `millrace.producer(options)`; everything has a default: `lingerMs` 1. */
export type WriteStreamOptions = OptionsOf<FilledWriteStreamOptions> & ProducerOptions

export interface FilledSendAllOptions {
  /** Ends the call with ABORTED, and closes the iterator. Default: undefined. */
  readonly signal: AbortSignal | undefined
}

/**
 * What `sendAll(topic, records, options)` takes, beside all options of `millrace.producer(options)`; everything has a default:
 * `lingerMs` 1.
 */
export type SendAllOptions = OptionsOf<FilledSendAllOptions> & ProducerOptions

const SIGNAL = {
  type: 'custom',
  expects: 'an AbortSignal',
  accepts: (value: unknown) => value instanceof AbortSignal,
  default: undefined,
  takesEffect: 'at open',
} as const

export const READ_STREAM_CONFIG: ConfigTable<FilledReadStreamOptions> = {
  what: 'stream option',
  settings: {
    until: {
      type: 'one of',
      values: ['end'],
      default: undefined,
      takesEffect: 'at open',
      doc: "'end': the stream ends at the end offsets as they are when it is made. Without it, it waits for more.",
    },
    partitions: {
      type: 'custom',
      expects: 'an array, or anything else to iterate over, of partition numbers',
      accepts: (value) => typeof value === 'object' && value !== null && Symbol.iterator in value,
      default: undefined,
      takesEffect: 'at open',
      doc: 'Partitions to read, by number from 0; all of them, or those of the group, unless given.',
    },
    signal: { ...SIGNAL, doc: 'Ends the stream with ABORTED, and closes its consumer.' },
    onOvertaken: {
      type: 'custom',
      expects: 'a function of { topic, partition, missed, from, to }',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: 'Told when retention took records before they were read. Without it, a warning.',
    },
  },
  renamed: { untilEnd: 'until', assign: 'partitions', abortSignal: 'signal' },
  answer: (name) =>
    foldName(name) === 'highwatermark'
      ? 'a stream from a topic reads no record ahead of its reader, for what it asks past is settled: bound batches by maxPartitionFetchBytes'
      : undefined,
}

export const WRITE_STREAM_CONFIG: ConfigTable<FilledWriteStreamOptions> = {
  what: 'stream option',
  settings: {
    highWaterMark: {
      type: 'int',
      min: 0,
      max: INT_MAX,
      default: 16,
      unit: 'records',
      takesEffect: 'at open',
      doc: "Records that the stream takes although the producer's memory is full; then it asks to wait.",
    },
    signal: { ...SIGNAL, doc: 'Ends the stream with ABORTED, and closes its producer.' },
  },
  renamed: { abortSignal: 'signal' },
}

export const SEND_ALL_CONFIG: ConfigTable<FilledSendAllOptions> = {
  what: 'sendAll option',
  settings: { signal: { ...SIGNAL, doc: 'Ends the call with ABORTED, and closes the iterator.' } },
  renamed: { abortSignal: 'signal' },
}

/**
 * The stream's own options, checked and complete, and those of its client, which are its to
 * check. Throws INVALID_CONFIG.
 */
export function splitOptions<Own extends object, Client extends object>(
  table: ConfigTable<Own>,
  given: (OptionsOf<Own> & Client) | undefined,
): { own: Readonly<Own>; client: Client } {
  if (given === undefined) return { own: fillOptions(table, undefined), client: {} as Client }
  const entries = Object.entries(given)
  const isOwn = ([name]: [string, unknown]): boolean => ownNames(table).has(name) || table.answer?.(name) !== undefined
  // What is no object of options at all is refused as the stream's.
  const own = fillOptions(table, typeof given === 'object' ? (Object.fromEntries(entries.filter(isOwn)) as OptionsOf<Own>) : given)
  return { own, client: Object.fromEntries(entries.filter((entry) => !isOwn(entry))) as Client }
}

function ownNames<Own extends object>(table: ConfigTable<Own>): ReadonlySet<string> {
  return new Set([...settingsOf(table).map(([name]) => name), ...Object.keys(table.renamed ?? {})])
}

/** Tells of the abort, at once where it has been; gives what stops listening. */
export function onAbort(signal: AbortSignal | undefined, listener: (error: MillraceError) => void): () => void {
  if (signal === undefined) return () => undefined
  const onAborted = (): void => listener(new MillraceError('ABORTED', 'the stream was aborted by its signal', { cause: signal.reason }))
  if (signal.aborted) onAborted()
  else signal.addEventListener('abort', onAborted, { once: true })
  return () => signal.removeEventListener('abort', onAborted)
}
