// The command line of the example.

import { parseArgs } from 'node:util'
import { PARTITIONS } from './cluster.ts'

export const HELP = `Page views of a web site, through millrace.

  npm start -- [options] [file ...]

Reads access logs in Apache's combined format, plain or compressed with gzip; - is
standard input. Without a file it reads the log that comes with the example. Each
line becomes a record of the topic user_activity, keyed by the client's address;
consumer threads keep views a minute, the top pages and the busiest clients.

  --repeat n            read the input n times; each time its timestamps move on by
                        the input's span (default 1)
  --producers n         producer threads, 1 to 16 (default 2)
  --consumers n         consumer threads, 1 to ${PARTITIONS} (default 2)
  --log-memory-mib n    memory for the log, in MiB: a multiple of 8, 128 or more (default 256)
  --help                this text

On a terminal the key k terminates one of the consumer threads: the others of its
group take over what it read.

Examples
  npm start
  npm start -- --repeat 100
  npm start -- /var/log/apache2/access.log /var/log/apache2/access.log.*.gz
  ssh www tail -f access.log | npm start -- -       (Ctrl-C ends the input)
`

export const SAMPLE_LOG = new URL('../data/access.log.gz', import.meta.url)

export interface Options {
  readonly help: boolean
  /** File names; `-` is standard input; none is the sample log. */
  readonly files: readonly string[]
  readonly repeat: number
  readonly producers: number
  readonly consumers: number
  readonly logMemoryBytes: number
}

/** The command cannot be carried out as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = readArguments(args)
  if (positionals.filter((name) => name === '-').length > 1) throw new UsageError('Standard input (-) can be read only once.')
  const logMemoryMib = wholeNumber('log-memory-mib', values['log-memory-mib'], 128, 65_536)
  if (logMemoryMib % 8 !== 0) throw new UsageError(`--log-memory-mib must be a multiple of 8, not ${logMemoryMib}.`)
  return {
    help: values.help,
    files: positionals,
    repeat: wholeNumber('repeat', values.repeat, 1, 1_000_000),
    producers: wholeNumber('producers', values.producers, 1, 16),
    consumers: wholeNumber('consumers', values.consumers, 1, PARTITIONS),
    logMemoryBytes: logMemoryMib * 1_048_576,
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        repeat: { type: 'string', default: '1' },
        producers: { type: 'string', default: '2' },
        consumers: { type: 'string', default: '2' },
        'log-memory-mib': { type: 'string', default: '256' },
      },
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(reason.replace(/(\. |\.?\n).*$/s, '').replace(/\.?$/, '.'), { cause: error }) // its first sentence
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`)
}
