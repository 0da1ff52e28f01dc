// Assertions. They stay on in production: a broken invariant stops the actor or
// thread that found it, before it can damage what others share.

import { MillraceError } from './errors.ts'

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new MillraceError('ASSERTION_FAILED', `assertion failed: ${message}`)
}

export function assertNever(value: never, what: string): never {
  throw new MillraceError('ASSERTION_FAILED', `assertion failed: unexpected ${what}: ${String(value)}`)
}
