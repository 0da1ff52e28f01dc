// Whose a topic is: streams are made from a topic alone, and open a consumer or producer of
// the millrace that it is bound by. Runs on the user's thread, when a stream is made.

import { AttachedMillrace } from '../client/millrace.ts'
import type { BoundTopic } from '../client/topic.ts'
import { MillraceError } from '../errors.ts'

/** Throws INVALID_REQUEST. */
export function ownerOf({ owner, name }: BoundTopic): AttachedMillrace {
  if (owner instanceof AttachedMillrace) return owner
  throw new MillraceError('INVALID_REQUEST', `topic ${name} is not bound by an open millrace`)
}
