// The options of `openMillrace`: how many brokers, how much memory, how to wait.
//
// Runs on the opening thread. Holds: everything past this file sees only
// `FilledMillraceOptions`. These settings are millrace's own: Kafka has no name for
// most, since there a broker is a process.

import { brokerConfigNamed } from '../config/broker-config-check.ts'
import type { BrokerConfigOptions } from '../config/broker-config.ts'
import { fillOptions } from '../config-def.ts'
import type { ConfigTable, OptionsOf } from '../config-def.ts'
import { BROKERS_MAX } from '../ids.ts'
import { answerForeignOption } from './foreign-options.ts'

/** What millrace logs with: pino's shape, which others share. */
export interface MillraceLogger {
  /** What helps to find a defect. */
  debug(fields: object, message: string): void
  /** What happened as it should: a broker was started again, a config has no effect. */
  info(fields: object, message: string): void
  /** What may not be meant. */
  warn(fields: object, message: string): void
  /** What went wrong: a broker died. */
  error(fields: object, message: string): void
}

export interface FilledMillraceOptions {
  /** Broker threads; partition leaders are spread over them. Default: 1. */
  readonly brokers: number
  /**
   * The directory in which logs have their files, made if it is missing, one process at a time; without it they are in memory only.
   * Default: undefined.
   */
  readonly dataDir: string | undefined
  /** Log memory of the process in bytes, made resident as it is used; a multiple of 8 MiB. Default: 268435456. */
  readonly logMemoryBytes: number
  /** Partitions of all topics together, at most. Default: 32768. */
  readonly partitionsMax: number
  /** Kafka's broker configs, in Kafka's names, for all brokers. Default: undefined. */
  readonly config: BrokerConfigOptions | undefined
  /** What a thread does when it has no work: 'park' sleeps until it is rung, 'spin' looks again where cores allow. Default: 'park'. */
  readonly idleStrategy: 'park' | 'spin'
  /** Where the broker threads' entry file lies, when a bundler has moved it; found beside this file otherwise. Default: undefined. */
  readonly workerUrl: URL | string | undefined
  /** A logger with debug, info, warn and error, for instance pino's; one that writes to standard error otherwise. Default: undefined. */
  readonly logger: MillraceLogger | undefined
  /** The least severe message that is logged. Default: 'warn'. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** What `openMillrace(options)` takes; everything has a default. */
export type MillraceOptions = OptionsOf<FilledMillraceOptions>

const MEBIBYTE = 1024 * 1024

export const MILLRACE_CONFIG: ConfigTable<FilledMillraceOptions> = {
  what: 'openMillrace option',
  settings: {
    brokers: {
      type: 'int',
      min: 1,
      max: BROKERS_MAX,
      default: 1,
      unit: 'brokers',
      takesEffect: 'at open',
      doc: 'Broker threads; partition leaders are spread over them.',
    },
    dataDir: {
      type: 'custom',
      expects: "the path of a directory, as in './data'",
      accepts: (value) => typeof value === 'string' && value !== '',
      default: undefined,
      takesEffect: 'at open',
      doc: 'The directory in which logs have their files, made if it is missing, one process at a time; without it they are in memory only.',
    },
    logMemoryBytes: {
      type: 'long',
      min: 16 * MEBIBYTE,
      max: 64 * 1024 * MEBIBYTE,
      multipleOf: 8 * MEBIBYTE,
      default: 256 * MEBIBYTE,
      unit: 'bytes',
      takesEffect: 'at open',
      doc: 'Log memory of the process in bytes, made resident as it is used; a multiple of 8 MiB.',
    },
    partitionsMax: {
      type: 'int',
      min: 1,
      max: 262_144,
      default: 32_768,
      unit: 'partitions',
      takesEffect: 'at open',
      doc: 'Partitions of all topics together, at most.',
    },
    // checkBrokerConfig says more than a table can
    config: {
      type: 'custom',
      expects: "an object of Kafka's broker configs, as in { 'num.partitions': 3 }",
      accepts: (value) => typeof value === 'object' && value !== null,
      default: undefined,
      takesEffect: 'at open',
      doc: "Kafka's broker configs, in Kafka's names, for all brokers.",
    },
    idleStrategy: {
      type: 'one of',
      values: ['park', 'spin'],
      default: 'park',
      takesEffect: 'at open',
      doc: "What a thread does when it has no work: 'park' sleeps until it is rung, 'spin' looks again where cores allow.",
    },
    workerUrl: {
      type: 'custom',
      expects: "a URL of a file, as in new URL('./worker.js', import.meta.url)",
      accepts: (value) => value instanceof URL || (typeof value === 'string' && URL.canParse(value)),
      default: undefined,
      takesEffect: 'at open',
      doc: "Where the broker threads' entry file lies, when a bundler has moved it; found beside this file otherwise.",
    },
    logger: {
      type: 'custom',
      expects: 'a logger with the methods debug, info, warn and error',
      accepts: isLogger,
      default: undefined,
      takesEffect: 'at open',
      doc: "A logger with debug, info, warn and error, for instance pino's; one that writes to standard error otherwise.",
    },
    logLevel: {
      type: 'one of',
      values: ['debug', 'info', 'warn', 'error', 'silent'],
      spellings: { trace: 'debug', fatal: 'error', off: 'silent', none: 'silent', NOTHING: 'silent' },
      default: 'warn',
      takesEffect: 'at open',
      doc: 'The least severe message that is logged.',
    },
  },
  renamed: {
    threads: 'brokers',
    brokerThreads: 'brokers',
    memoryBytes: 'logMemoryBytes',
    maxPartitions: 'partitionsMax',
    waitStrategy: 'idleStrategy',
    configs: 'config',
    brokerConfig: 'config',
  },
  answer: (name) => OWN_ANSWERS.get(name) ?? answerBrokerConfigName(name) ?? answerForeignOption(name),
}

const ONE_DIRECTORY = 'it is called dataDir here, and there is one of it'
const OWN_ANSWERS: ReadonlyMap<string, string> = new Map([
  ['logDir', ONE_DIRECTORY],
  ['logDirs', ONE_DIRECTORY],
  ['log.dir', ONE_DIRECTORY],
  ['log.dirs', ONE_DIRECTORY],
  ['listen', 'Kafka clients cannot connect yet: leave it out'],
  ['listeners', 'Kafka clients cannot connect yet: leave it out'],
])

/** A broker config that was put beside `config` instead of into it. */
function answerBrokerConfigName(name: string): string | undefined {
  const config = brokerConfigNamed(name)
  return config === undefined ? undefined : `it is a broker config: write config: { '${config}': … }`
}

export function fillMillraceOptions(options?: MillraceOptions): Readonly<FilledMillraceOptions> {
  return fillOptions(MILLRACE_CONFIG, options)
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const logger = value as Record<string, unknown>
  return ['debug', 'info', 'warn', 'error'].every((method) => typeof logger[method] === 'function')
}
