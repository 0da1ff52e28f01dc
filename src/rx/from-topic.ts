// The source: records of a topic as an Observable, under the hold contract.
// Runs on the subscriber's thread.
// Holds: it pulls no more while `maxInFlight` records or `maxInFlightBytes` bytes are
// held; it gives the event loop its turn at least every 5 ms; unsubscribing leaves
// nothing behind.

import { Observable } from 'rxjs'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import { AttachedMillrace } from '../client/millrace.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { fillFromTopicOptions } from './from-topic-config.ts'
import type { FromTopicOptions } from './from-topic-config.ts'
import { noteSource } from './chain.ts'
import { Reading } from './from-topic-reading.ts'
import type { MillraceRecord } from './millrace-record.ts'

/**
 * Records of a bound topic, in order within each partition (Kafka: a consumer with
 * assigned partitions). A record is held while `next` runs and as long as a millrace
 * operator or `record.hold()` keeps it; RxJS's own operators hold nothing. While
 * `maxInFlight` records or `maxInFlightBytes` bytes are held, no more are pulled. With
 * `until: 'end'` it completes when the end is reached and all is settled. Each
 * subscription reads on its own. Throws INVALID_CONFIG and INVALID_REQUEST; errors of
 * reading (UNKNOWN_TOPIC_OR_PARTITION, CLOSED) end the Observable. A record that cannot
 * be decoded throws DESERIALIZATION where its `key` or `value` is touched.
 */
export function fromTopic<K, V>(topic: Topic<K, V, never, never>, options?: FromTopicOptions): Observable<MillraceRecord<K, V>> {
  const bound = asBoundTopic(topic)
  const filled = fillFromTopicOptions(options)
  return new Observable<MillraceRecord<K, V>>((subscriber) => {
    const { owner } = bound
    if (!(owner instanceof AttachedMillrace))
      throw new MillraceError('INVALID_REQUEST', `topic ${bound.name} is not bound by an open millrace`)
    const { autoOffsetReset, isolationLevel, fetchMinBytes, fetchMaxWaitMs } = filled
    const consumer = owner.consumer({ autoOffsetReset, isolationLevel, fetchMinBytes, fetchMaxWaitMs })
    consumer.on('overtaken', filled.onOvertaken ?? warnOnce())
    const reading = new Reading<K, V>({ subscriber, options: filled, owner, topic: bound, consumer, clock: bound.engine.clock })
    noteSource(reading)
    void reading.run()
    return () => reading.stop()
  })
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
