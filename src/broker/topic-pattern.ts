// Patterns of topics as Kafka's brokers take them (KIP-848): RE2's syntax, matched in linear
// time, so that no member can hold up its coordinator. Runs on a broker's thread.

import { createRequire } from 'node:module'
import type * as Re2 from 're2js'
import { MillraceError } from '../errors.ts'

interface Pattern {
  matches(name: string): boolean
}

const require = createRequire(import.meta.url)
let library: typeof Re2 | undefined

/** Of the whole name. Throws INVALID_REGULAR_EXPRESSION. */
export function compilePattern(text: string): Pattern {
  // Loaded when the first pattern comes: consumers of this process match their own.
  library ??= require('re2js') as typeof Re2
  try {
    return library.RE2JS.compile(text)
  } catch (cause) {
    throw new MillraceError('INVALID_REGULAR_EXPRESSION', `"${text}" is no pattern in RE2's syntax: ${(cause as Error).message}`, { cause })
  }
}
