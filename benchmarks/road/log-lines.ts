// Real lines for what must not be made up: the access log that the examples read, 237 bytes a
// line in the middle, and what a reader must have summed of them.

import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FILE = new URL('../../../shared/data/access.log.gz', import.meta.url)
const LINE_FEED = 10

let lines: readonly Uint8Array[] | undefined

/** A reason why there are none. */
export function noLogLines(): string | undefined {
  return existsSync(FILE) ? undefined : 'the access log is not there'
}

export function logLines(): readonly Uint8Array[] {
  if (lines !== undefined) return lines
  const bytes = gunzipSync(readFileSync(FILE))
  const found: Uint8Array[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start)
    const to = end < 0 ? bytes.length : end
    if (to > start) found.push(Uint8Array.from(bytes.subarray(start, to)))
    start = to + 1
  }
  return (lines = found)
}

/** Bytes of a line, on average, rounded down. */
export function meanLineBytes(): number {
  return Math.floor(logLines().reduce((sum, { length }) => sum + length, 0) / logLines().length)
}

/** The first and the last byte of each of so many lines. */
export function expectedLineSum(records: number): number {
  const all = logLines()
  const sumOf = (line: Uint8Array): number => line[0]! + line.at(-1)!
  const round = all.reduce((sum, line) => sum + sumOf(line), 0)
  const rest = all.slice(0, records % all.length).reduce((sum, line) => sum + sumOf(line), 0)
  return Math.floor(records / all.length) * round + rest
}
