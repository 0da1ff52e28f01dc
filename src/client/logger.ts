// Where millrace says what nobody asked for: a broker died, one was started again.
// Never once a record. pino is loaded when the first line is to be written.

import type { FilledMillraceOptions, MillraceLogger } from './millrace-config.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

const SEVERITY: Readonly<Record<Level | 'silent', number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

export interface LazyLogger {
  log(level: Level, fields: object, message: string): void
}

/** The user's logger, or pino to standard error, whole lines at a time. */
export function createLogger(given: MillraceLogger | undefined, leastSevere: FilledMillraceOptions['logLevel']): LazyLogger {
  let loading: Promise<MillraceLogger> | undefined
  return {
    log(level, fields, message) {
      if (SEVERITY[level] < SEVERITY[leastSevere]) return
      if (given !== undefined) return given[level](fields, message)
      loading ??= loadPino(leastSevere)
      void loading.then((logger) => logger[level](fields, message))
    },
  }
}

async function loadPino(level: FilledMillraceOptions['logLevel']): Promise<MillraceLogger> {
  const { pino } = await import('pino')
  // Synchronous: an asynchronous destination loses its lines when a process or worker ends.
  const logger: MillraceLogger = pino({ name: 'millrace', level }, pino.destination({ dest: 2, sync: true }))
  return logger
}
