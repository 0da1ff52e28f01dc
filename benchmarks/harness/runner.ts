// Runs a case: opens its contenders, warms them up, lets them take turns, checks what arrived.
// One contender that fails does not stop the others; an interrupt stops all and keeps what
// was measured. Runs on the main thread, which does nothing else while a contender runs.

import { arrivalFault } from './bench-case.ts'
import type { CaseSpec, ContenderSpec, Measurement, OpenContext, Running } from './bench-case.ts'
import type { ContenderOutcome, ContenderStatus } from './report.ts'

export interface RunOptions {
  readonly context: OpenContext
  readonly repetitions: number | undefined
  readonly progress: (line: string) => void
}

interface Entry {
  readonly spec: ContenderSpec
  readonly records: number
  readonly measurements: Measurement[]
  running: Running | undefined
  status: ContenderStatus
  why: string | undefined
}

export async function runCase(spec: CaseSpec, options: RunOptions): Promise<readonly ContenderOutcome[]> {
  const { context } = options
  const chosen = context.small && spec.smallContenders !== undefined ? spec.smallContenders : undefined
  const entries = spec.contenders
    .filter((contender) => chosen === undefined || chosen.includes(contender.id))
    .map((contender) => newEntry(contender, context))
  const groups = spec.order === 'alternate' ? [entries] : entries.map((entry) => [entry])
  for (const group of groups) {
    try {
      await runGroup(spec, group, options)
    } finally {
      await Promise.all(group.map((entry) => closeEntry(entry)))
    }
  }
  return entries.map(({ spec: contender, status, why, records, measurements }) => ({
    spec: contender,
    status,
    ...(why === undefined ? {} : { why }),
    records,
    measurements,
  }))
}

function newEntry(spec: ContenderSpec, context: OpenContext): Entry {
  const skipped = spec.skip?.(context)
  return {
    spec,
    records: context.small ? spec.smallRecords : spec.records,
    measurements: [],
    running: undefined,
    status: skipped === undefined ? 'measured' : 'skipped',
    why: skipped,
  }
}

async function runGroup(spec: CaseSpec, group: readonly Entry[], options: RunOptions): Promise<void> {
  const { context } = options
  const warmUps = context.small ? Math.min(1, spec.warmUps) : spec.warmUps
  const repetitions = options.repetitions ?? (context.small ? 1 : spec.repetitions)
  for (const entry of group) {
    if (entry.status !== 'measured') continue
    options.progress(`${spec.id}  opening ${entry.spec.title}`)
    await attempt(entry, context, async () => {
      const running = await entry.spec.open(context)
      // An interrupt may have come meanwhile: what opened too late is closed at once.
      if (entry.status === 'measured') entry.running = running
      else await running.close()
    })
  }
  for (let round = 0; round < warmUps + repetitions; round++) {
    for (const entry of group) {
      if (entry.status !== 'measured') continue
      const counted = round >= warmUps
      if (!counted && context.small && entry.spec.startsAnew === true) continue
      const which = counted ? `repetition ${round - warmUps + 1} of ${repetitions}` : `warm-up ${round + 1} of ${warmUps}`
      if (!context.signal.aborted) options.progress(`${spec.id}  ${entry.spec.title}: ${which}`)
      await attempt(entry, context, async () => {
        const measurement = await entry.running!.run(entry.records)
        const fault = measurement.arrival === null ? undefined : arrivalFault(measurement.arrival)
        if (fault !== undefined) throw new Error(`no result: ${fault}`)
        if (counted && entry.status === 'measured') entry.measurements.push(measurement)
      })
    }
  }
}

/** One step of one contender; whatever it throws becomes that contender's fate. */
async function attempt(entry: Entry, context: OpenContext, step: () => Promise<void>): Promise<void> {
  try {
    await unlessAborted(step, context.signal)
  } catch (error) {
    entry.status = context.signal.aborted ? 'interrupted' : 'failed'
    entry.why = error instanceof Error ? error.message : String(error)
    await closeEntry(entry)
  }
}

async function closeEntry(entry: Entry): Promise<void> {
  const { running } = entry
  entry.running = undefined
  try {
    await running?.close()
  } catch (error) {
    if (entry.status === 'measured') entry.status = 'failed'
    entry.why ??= `close: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function unlessAborted(step: () => Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(signal.reason)
  // Before the step: it may bring the abort about itself.
  signal.addEventListener('abort', stop, { once: true })
  const work = step()
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
    // What lost the race must not end the process as an unhandled rejection.
    work.catch(() => {})
    aborted.promise.catch(() => {})
  }
}
