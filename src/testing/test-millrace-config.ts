// The options of `testMillrace`. Runs on the thread of the test.

import { brokerConfigNamed } from '../config/broker-config-check.ts'
import type { BrokerConfigOptions } from '../config/broker-config.ts'
import { fillOptions } from '../config-def.ts'
import type { ConfigTable, OptionsOf } from '../config-def.ts'
import { MILLRACE_CONFIG } from '../client/millrace-config.ts'
import type { FilledMillraceOptions, MillraceLogger } from '../client/millrace-config.ts'
import { MillraceError } from '../errors.ts'

export interface FilledTestMillraceOptions {
  /** True: no threads, and time that moves only by `advance` and by what waits. False: threads, in real time. Default: false. */
  readonly inline: boolean
  /** Whether Kafka clients may connect; not there yet. Default: false. */
  readonly listen: boolean
  /** Brokers; partition leaders are spread over them. Default: 1. */
  readonly brokers: number
  /** Of all chance in an inline millrace: the same seed and the same calls give the same run. Default: 1. */
  readonly seed: number
  /** Wall-clock time at first in an inline millrace, in ms since the epoch: 2023-11-14T22:13:20Z. Default: 1700000000000. */
  readonly startMs: number
  /** How long `expectRecords` and other waits go on unless told otherwise: virtual time inline, else real time. Default: 30000. */
  readonly timeoutMs: number
  /** Log memory in bytes, made resident as it is used; a multiple of 8 MiB. Default: 16777216. */
  readonly logMemoryBytes: number
  /** Partitions of all topics together, at most. Default: 1024. */
  readonly partitionsMax: number
  /** Kafka's broker configs; offsets.topic.num.partitions is 1 unless set here. Default: undefined. */
  readonly config: BrokerConfigOptions | undefined
  /** Whether `close` rejects when the test has left producers, consumers, subscriptions or timers open. Default: true. */
  readonly leakCheck: boolean
  /** A logger with debug, info, warn and error. Default: undefined. */
  readonly logger: MillraceLogger | undefined
  /** The least severe message that is logged. Default: 'warn'. */
  readonly logLevel: FilledMillraceOptions['logLevel']
}

/** What `testMillrace(options)` takes; everything has a default. */
export type TestMillraceOptions = OptionsOf<FilledTestMillraceOptions>

const { brokers, logMemoryBytes, partitionsMax, config, logger, logLevel } = MILLRACE_CONFIG.settings

export const TEST_MILLRACE_CONFIG: ConfigTable<FilledTestMillraceOptions> = {
  what: 'testMillrace option',
  settings: {
    inline: {
      type: 'boolean',
      default: false,
      takesEffect: 'at open',
      doc: 'True: no threads, and time that moves only by `advance` and by what waits. False: threads, in real time.',
    },
    listen: { type: 'boolean', default: false, takesEffect: 'at open', doc: 'Whether Kafka clients may connect; not there yet.' },
    brokers: { ...brokers, doc: 'Brokers; partition leaders are spread over them.' },
    seed: {
      type: 'long',
      min: 0,
      default: 1,
      takesEffect: 'at open',
      doc: 'Of all chance in an inline millrace: the same seed and the same calls give the same run.',
    },
    startMs: {
      type: 'long',
      min: 0,
      default: 1_700_000_000_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'Wall-clock time at first in an inline millrace, in ms since the epoch: 2023-11-14T22:13:20Z.',
    },
    timeoutMs: {
      type: 'long',
      min: 0,
      default: 30_000,
      unit: 'ms',
      takesEffect: 'at open',
      doc: 'How long `expectRecords` and other waits go on unless told otherwise: virtual time inline, else real time.',
    },
    logMemoryBytes: {
      ...logMemoryBytes,
      default: 16 * 1024 * 1024,
      doc: 'Log memory in bytes, made resident as it is used; a multiple of 8 MiB.',
    },
    partitionsMax: { ...partitionsMax, default: 1_024 },
    config: { ...config, doc: "Kafka's broker configs; offsets.topic.num.partitions is 1 unless set here." },
    leakCheck: {
      type: 'boolean',
      default: true,
      takesEffect: 'at open',
      doc: 'Whether `close` rejects when the test has left producers, consumers, subscriptions or timers open.',
    },
    logger: { ...logger, doc: 'A logger with debug, info, warn and error.' },
    logLevel,
  },
  answer: (name) => {
    if (name === 'dataDir') return 'a test kit keeps its logs in memory: open one with openMillrace({ dataDir }) for files'
    const named = brokerConfigNamed(name)
    return named === undefined ? undefined : `it is a broker config: write config: { '${named}': … }`
  },
}

/** Throws INVALID_CONFIG. */
export function fillTestMillraceOptions(options: TestMillraceOptions | undefined): Readonly<FilledTestMillraceOptions> {
  const filled = fillOptions(TEST_MILLRACE_CONFIG, options)
  if (!filled.listen) return filled
  const why = filled.inline
    ? 'an inline millrace has no sockets, and its time is not that of a client: leave listen out'
    : 'Kafka clients cannot connect yet: leave it out'
  throw new MillraceError('INVALID_CONFIG', `testMillrace option listen: ${why}`)
}
