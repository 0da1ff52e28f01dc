// Topics by a pattern (Kafka: subscribe(Pattern)): all whose names match, also those that are
// made later. A plain value. Holds: internal topics never match.

import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { TopicOptions } from '../topic-definition.ts'

/** Serdes of the topics that match, as in `defineTopic`. */
export type TopicPatternOptions<K, V> = Pick<TopicOptions<K, V, never, never>, 'key' | 'value' | 'validate'>

/** What `topicPattern` gives, and a consumer of a group takes in place of topics. */
export class TopicPattern<K = string | null, V = unknown> {
  readonly pattern: RegExp
  readonly options: TopicPatternOptions<K, V>

  /** Made by `topicPattern`. */
  constructor(pattern: RegExp, options: TopicPatternOptions<K, V>) {
    this.pattern = pattern
    this.options = options
  }

  /** Whether a topic of this name is read. */
  matches(name: string): boolean {
    return !INTERNAL_TOPICS.has(name) && this.pattern.test(name)
  }
}

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__cluster_metadata',
])

/**
 * All topics whose names the expression finds, with the same serdes, for a consumer of a
 * group: `consumer.batches(topicPattern(/^clicks-/, { value: json() }))`. `^` and `$` are
 * yours to write. Throws INVALID_REGULAR_EXPRESSION for what is no RegExp.
 */
export function topicPattern<K = string | null, V = unknown>(pattern: RegExp, options: TopicPatternOptions<K, V> = {}): TopicPattern<K, V> {
  if (!(pattern instanceof RegExp)) {
    throw new MillraceError('INVALID_REGULAR_EXPRESSION', `a pattern of topics is a RegExp, such as /^clicks-/; ${show(pattern)} was given`)
  }
  // One with a memory of its last match would find every other name.
  return new TopicPattern(new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, '')), options)
}

/** The serdes where they are not told apart by type. */
export type AnyTopicPattern = TopicPattern<unknown, unknown>
