// Topics as admin calls are given them: by name, one or an array.

import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import { checkTopicName } from '../topic-definition.ts'
import { checkNamedOnce } from './each-item.ts'

/** Throws INVALID_REQUEST, INVALID_TOPIC_EXCEPTION. */
export function topicNames(names: readonly string[] | string, call: string): readonly string[] {
  const given: readonly unknown[] = typeof names === 'string' ? [names] : names
  if (!Array.isArray(given)) {
    throw new MillraceError('INVALID_REQUEST', `${call} takes names of topics, one or an array; ${show(names)} was given`)
  }
  const checked = given.map((name) => checkTopicName(name))
  checkNamedOnce(checked, 'topic')
  return checked
}
