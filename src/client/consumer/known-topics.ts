// The topics that a consumer knows by name, so that it takes back the partitions that it names
// itself: in its callbacks, `assignment()` and `paused()`. Runs on its user's thread.

import { MillraceError } from '../../errors.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import type { AnyTopic } from './offsets-to-commit.ts'

/** Whoever knows topics. */
export interface TopicsByName {
  topicNamed(name: string): BoundTopic | undefined
}

export class KnownTopics {
  readonly #sources: readonly TopicsByName[]

  /** The first one that knows a name says which topic it is: of a topic that was made anew, the one that is read now. */
  constructor(sources: readonly (TopicsByName | undefined)[]) {
    this.#sources = sources.filter((source) => source !== undefined)
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION for a name that nobody knows, INVALID_REQUEST for what is no bound topic. */
  bound(topic: AnyTopic | string): BoundTopic {
    if (typeof topic !== 'string') return asBoundTopic(topic)
    for (const source of this.#sources) {
      const found = source.topicNamed(topic)
      if (found !== undefined) return found
    }
    const known = 'by name it knows those that it reads, or was assigned or asked about'
    const message = `this consumer knows no topic "${topic}" (${known}): pass the bound topic, as \`await millrace.topic(…)\` gave it`
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', message, { retriable: false })
  }
}
