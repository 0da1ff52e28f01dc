// How `records` and `batches` read: until where, and until when.
// Runs on the user's thread, when a reading starts.

import { checkOptions, settingsOf } from '../../config-def.ts'
import type { ConfigTable } from '../../config-def.ts'
import { CONSUMER_CONFIG } from './consumer-config.ts'

/** What `records` and `batches` of a consumer take beside the topic. */
export interface ReadOptions {
  /** 'end': stop at the end offsets as they are when reading starts. Without it, reading waits for more. */
  readonly until?: 'end'
  /** Ends the reading with ABORTED. */
  readonly signal?: AbortSignal
}

interface CheckedReadOptions {
  readonly until: 'end' | undefined
  readonly signal: AbortSignal | undefined
}

const READ_OPTIONS: ConfigTable<CheckedReadOptions> = {
  what: 'reading option',
  settings: {
    until: {
      type: 'one of',
      values: ['end'],
      default: undefined,
      takesEffect: 'immediately',
      doc: "'end': stop at the end offsets as they are when reading starts. Without it, reading waits for more.",
    },
    signal: {
      type: 'custom',
      expects: 'an AbortSignal',
      accepts: (value) => value instanceof AbortSignal,
      default: undefined,
      takesEffect: 'immediately',
      doc: 'Ends the reading with ABORTED.',
    },
  },
  renamed: { untilEnd: 'until', abortSignal: 'signal' },
  answer: (name) => (CONSUMER_ONLY.has(name) ? 'it is an option of the consumer: millrace.consumer({ … })' : undefined),
}

const CONSUMER_ONLY: ReadonlySet<string> = new Set(['groupId', ...settingsOf(CONSUMER_CONFIG).map(([name]) => name)])

/** Throws INVALID_CONFIG. */
export function checkReadOptions(options: ReadOptions): Readonly<Partial<CheckedReadOptions>> {
  return checkOptions(READ_OPTIONS, options)
}
