// Patterns of topics that a member asks its coordinator to match (KIP-848). Consumers of this process
// match their own, so none comes from them. Kafka takes RE2's syntax, which is matched in linear time;
// this takes JavaScript's: whoever lets strangers in through a socket must put RE2 here first, or a
// pattern like (a+)+b holds up the broker. Runs on a broker's thread.

import { MillraceError } from '../errors.ts'

/** Of the whole name. Throws INVALID_REGULAR_EXPRESSION. */
export function compilePattern(text: string): { matches(name: string): boolean } {
  try {
    const pattern = new RegExp(`^(?:${text})$`, 'u')
    return { matches: (name) => pattern.test(name) }
  } catch (cause) {
    throw new MillraceError('INVALID_REGULAR_EXPRESSION', `"${text}" is no pattern: ${(cause as Error).message}`, { cause })
  }
}
