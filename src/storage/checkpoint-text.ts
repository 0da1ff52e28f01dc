// The text of Kafka's checkpoint files: rows of words. Pure; any thread.
//
//   0\n              version of the format
//   2\n              rows
//   access 0 10000\n one a row, words with a space between
//   empty 1 0\n
//
// Kafka ends every row with a line feed: without the last one the file was cut short,
// and its last number may be.

import { damagedFile, newerFileFormat } from './file-errors.ts'

const VERSION = 0
const NUMBER = /^\d{1,16}$/

/** A whole number from 0 to 2^53 - 1, NaN for any other text. */
export function parseWholeNumber(text: string): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}

export function encodeCheckpoint(rows: readonly string[]): string {
  return `${[VERSION, rows.length, ...rows].join('\n')}\n`
}

/**
 * The words of each row; the row at index i is on line i + 3. Throws UNSUPPORTED_VERSION
 * for a newer format, and KAFKA_STORAGE_ERROR for text that is no checkpoint.
 */
export function decodeCheckpoint(path: string, text: string, remedy: string): string[][] {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw damagedFile(path, `no end of line ${lines.length + 1}: it was cut short`, remedy)
  const version = parseWholeNumber(lines[0] ?? '')
  if (version > VERSION) throw newerFileFormat(path, version, VERSION)
  if (version !== VERSION) throw damagedFile(path, 'no version in line 1', remedy)
  const count = parseWholeNumber(lines[1] ?? '')
  if (lines.length - 2 !== count) throw damagedFile(path, `${lines.length - 2} rows, where line 2 says "${shown(lines[1])}"`, remedy)
  return lines.slice(2).map((line) => line.split(/[ \t]+/))
}

/** The error of the row at index `row` of a checkpoint. */
export function damagedRow(path: string, row: number, words: readonly string[], expected: string, remedy: string): Error {
  return damagedFile(path, `"${shown(words.join(' '))}" in line ${row + 3}, where ${expected} belongs`, remedy)
}

const SHOWN_MAX = 80

/** What an error shows of a foreign text: not all of it, and no control characters. */
function shown(text = ''): string {
  return text.slice(0, SHOWN_MAX).replace(/[^\x20-\x7e]/g, '?')
}
