// The command line of `npm run bench`.

import { parseArgs } from 'node:util'

export const EXIT_OK = 0
export const EXIT_FAILURE = 1
export const EXIT_USAGE = 2
export const EXIT_TARGET_MISSED = 4
export const EXIT_INTERRUPTED = 130

const SOAK_MINUTES = 1

export interface Options {
  readonly small: boolean
  readonly only: readonly string[]
  readonly compare: string | undefined
  readonly out: string | undefined
  readonly strict: boolean
  readonly list: boolean
  readonly help: boolean
  readonly repetitions: number | undefined
  /** A running Kafka, as host:port. */
  readonly kafka: string | undefined
  readonly soakMinutes: number
}

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

export const HELP = `Measures millrace beside what people use today, in one run on this machine.

  npm run bench -- [options]

  --only S1,S8        run these cases only (see --list)
  --small             a minute in total, correctness only: its figures are not results
  --repetitions N     repetitions of each contender, at least 5 unless --small (default: 5 or more, by case)
  --kafka HOST:PORT   a running Kafka to compare with in the same run (or MILLRACE_BENCH_KAFKA); Kafka's
                      Java tools are taken from KAFKA_HOME or the PATH
  --soak-minutes N    how long the soak of C3 lasts (default: 1; its slope is judged from 10 on)
  --compare FILE      an older report.json: prints the ratio of each figure to it
  --out DIR           where report.json, table.md and the charts are written
                      (default: benchmarks/results/<date>-<commit>)
  --strict            exit with 4 when a target is missed
  --list              print the cases and end
  --help              print this and end

Each contender is warmed up, then all take turns; minimum, median and maximum are printed, and a
contender of which a record was lost has no result. An interrupt prints what was measured so far.

Exit codes: 0 done, 1 a contender failed or lost a record, 2 usage, 4 a target was missed (with
--strict), 130 interrupted.`

export function parseOptions(
  args: readonly string[],
  knownCases: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): Options {
  let values: ReturnType<typeof parse>
  try {
    values = parse(args)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const only = (values.only ?? '')
    .split(',')
    .map((id) => id.trim().toUpperCase())
    .filter((id) => id !== '')
  if (values.only !== undefined && only.length === 0) throw new UsageError('--only needs at least one case, such as --only S1,S8')
  for (const id of only) {
    if (!knownCases.includes(id)) throw new UsageError(`there is no case ${id}; the cases are ${knownCases.join(', ')}`)
  }
  return {
    small: values.small ?? false,
    only,
    compare: values.compare,
    out: values.out,
    strict: values.strict ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
    repetitions: wholeNumber('--repetitions', values.repetitions, values.small === true ? 1 : 5, 1_000),
    kafka: kafkaAddress(values.kafka ?? environment['MILLRACE_BENCH_KAFKA']),
    soakMinutes: wholeNumber('--soak-minutes', values['soak-minutes'], 1, 10_000) ?? SOAK_MINUTES,
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: false,
    strict: true,
    options: {
      small: { type: 'boolean' },
      only: { type: 'string' },
      compare: { type: 'string' },
      out: { type: 'string' },
      strict: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      repetitions: { type: 'string' },
      kafka: { type: 'string' },
      'soak-minutes': { type: 'string' },
    },
  }).values
}

function wholeNumber(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > most) {
    throw new UsageError(`${option} is a whole number from ${least} to ${most}, not "${text}"`)
  }
  return Number(text)
}

function kafkaAddress(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const port = /^[^\s:]+:(\d{1,5})$/.exec(text)?.[1]
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(`--kafka is an address such as localhost:9092, not "${text}"`)
  }
  return text
}
