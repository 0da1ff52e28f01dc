// The source: records of a topic as an Observable, under the hold contract.
// Runs on the subscriber's thread.
// Holds: it pulls no more while `maxInFlight` records or `maxInFlightBytes` bytes are
// held; it gives the event loop its turn at least every 5 ms; unsubscribing leaves
// nothing behind.

import { Observable } from 'rxjs'
import type { ConsumerOptions } from '../client/consumer/consumer-config.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import { AttachedMillrace } from '../client/millrace.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { fillFromTopicOptions } from './from-topic-config.ts'
import type { FilledFromTopicOptions, FromTopicOptions } from './from-topic-config.ts'
import { noteSource } from './chain.ts'
import { Reading } from './from-topic-reading.ts'
import type { MillraceRecord } from './millrace-record.ts'

/**
 * Records of a bound topic, or of several, in order within each partition (Kafka: a consumer
 * with assigned partitions, or with a `groupId` a member of the group). A record is held while
 * `next` runs and as long as a millrace operator or `record.hold()` keeps it; RxJS's own
 * operators hold nothing. While `maxInFlight` records or `maxInFlightBytes` bytes are held, no
 * more are pulled. With `until: 'end'` it completes when the end is reached and all is settled.
 * Each subscription reads on its own, and is a member of its own.
 *
 * In a group what is settled is committed, one turn of the timers after it was: an exception
 * of a subscriber ends the process first, and its record comes again. After an error, an
 * unsubscribe, or a subscription found closed when `next` returns, what was not settled comes
 * again. What is settled of a partition is committed before it goes to another member; what is
 * in flight of it then, that one reads.
 *
 * Throws INVALID_CONFIG and INVALID_REQUEST; errors of reading (UNKNOWN_TOPIC_OR_PARTITION,
 * CLOSED, and in a group those of `consumer.batches`) end the Observable. A record that cannot be
 * decoded throws DESERIALIZATION where its `key` or `value` is touched.
 */
export function fromTopic<K, V>(
  topics: Topic<K, V, never, never> | readonly Topic<K, V, never, never>[],
  options?: FromTopicOptions,
): Observable<MillraceRecord<K, V>> {
  const bound = (Array.isArray(topics) ? topics : [topics]).map((topic: Topic<K, V, never, never>) => asBoundTopic(topic))
  const [first] = bound
  if (first === undefined) throw new MillraceError('INVALID_REQUEST', 'fromTopic was given no topic')
  const filled = fillFromTopicOptions(options)
  return new Observable<MillraceRecord<K, V>>((subscriber) => {
    const { owner } = first
    if (!(owner instanceof AttachedMillrace))
      throw new MillraceError('INVALID_REQUEST', `topic ${first.name} is not bound by an open millrace`)
    const consumer = owner.consumer(consumerOptions(filled))
    consumer.on('overtaken', filled.onOvertaken ?? warnOnce())
    const reading = new Reading<K, V>({ subscriber, options: filled, owner, topics: bound, consumer, clock: first.engine.clock })
    noteSource(reading)
    reading.start()
    return () => reading.stop()
  })
}

function consumerOptions(filled: FilledFromTopicOptions): ConsumerOptions {
  const { groupId, groupInstanceId, groupRemoteAssignor, clientId, autoCommitIntervalMs, onAssigned, onRevoked, onLost } = filled
  const { autoOffsetReset, isolationLevel, fetchMinBytes, fetchMaxWaitMs } = filled
  return {
    groupId,
    groupInstanceId,
    groupRemoteAssignor,
    clientId,
    autoCommitIntervalMs,
    onAssigned,
    onRevoked,
    onLost,
    autoOffsetReset,
    isolationLevel,
    fetchMinBytes,
    fetchMaxWaitMs,
  }
}

/** What retention took is said, if nobody listens: the first time, for it may go on for long. */
function warnOnce(): (event: Overtaken) => void {
  let warned = false
  return ({ topic, partition, missed }) => {
    if (warned) return
    warned = true
    const message = `fromTopic: ${missed} record(s) of ${topic}-${partition} went by retention before they were read, and more may: `
    process.emitWarning(
      `${message}read faster, keep more (logMemoryBytes, retention.bytes), or count them by onOvertaken`,
      'MillraceWarning',
    )
  }
}
