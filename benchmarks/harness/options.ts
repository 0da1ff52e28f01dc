// The command line of `npm run bench`.

import { parseArgs } from 'node:util'

export const EXIT_OK = 0
export const EXIT_FAILURE = 1
export const EXIT_USAGE = 2
export const EXIT_TARGET_MISSED = 4
export const EXIT_INTERRUPTED = 130

export interface Options {
  readonly small: boolean
  readonly only: readonly string[]
  readonly compare: string | undefined
  readonly out: string | undefined
  readonly strict: boolean
  readonly list: boolean
  readonly help: boolean
  readonly repetitions: number | undefined
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
  --compare FILE      an older report.json: prints the ratio of each figure to it
  --out DIR           where report.json, table.md and batching-sweep.svg are written
                      (default: benchmarks/results/<date>-<commit>)
  --strict            exit with 4 when a target is missed
  --list              print the cases and end
  --help              print this and end

Each contender is warmed up, then all take turns; minimum, median and maximum are printed, and a
contender of which a record was lost has no result. An interrupt prints what was measured so far.

Exit codes: 0 done, 1 a contender failed or lost a record, 2 usage, 4 a target was missed (with
--strict), 130 interrupted.`

export function parseOptions(args: readonly string[], knownCases: readonly string[]): Options {
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
    repetitions: repetitions(values.repetitions, values.small ?? false),
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
    },
  }).values
}

function repetitions(text: string | undefined, small: boolean): number | undefined {
  if (text === undefined) return undefined
  const least = small ? 1 : 5
  if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > 1000) {
    throw new UsageError(`--repetitions is a whole number from ${least} to 1000, not "${text}"`)
  }
  return Number(text)
}
