// What a stream from a topic reads with: a consumer of its own, record by record. Runs on the
// stream's thread.
//
//   reader of the stream ──asks──▶ stream, whose buffer stays empty ──pull──▶ batch in hand ◀── log
//                                                                        what is asked past is settled
//
// Holds: a record is pulled only when the stream's reader asks for one, so one that waits in
// the stream is never settled, and nothing is read beyond the batch in hand.

import type { Consumer } from '../client/consumer/consumer.ts'
import type { Overtaken } from '../client/consumer/partition-fetcher.ts'
import type { Pulled, RecordIterator } from '../client/consumer/record-iterator.ts'
import { asBoundTopic } from '../client/topic.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { ownerOf } from './bound-owner.ts'
import { READ_STREAM_CONFIG, splitOptions } from './stream-options.ts'
import type { ReadStreamOptions } from './stream-options.ts'

export class TopicReader<K, V> {
  readonly signal: AbortSignal | undefined
  readonly #consumer: Consumer
  readonly #records: RecordIterator<K, V>

  /** Throws INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, CLOSED. */
  constructor(topic: Topic<K, V, never, never>, options: ReadStreamOptions | undefined) {
    const owner = ownerOf(asBoundTopic(topic))
    const { own, client } = splitOptions(READ_STREAM_CONFIG, options)
    const partitions = own.partitions === undefined ? undefined : [...own.partitions]
    // No partition at all would mean all of them to a consumer.
    if (partitions?.length === 0)
      throw new MillraceError('INVALID_CONFIG', 'stream option partitions names none: name some, or leave it out to read all')
    this.signal = own.signal
    const consumer = owner.consumer(client)
    consumer.on('overtaken', own.onOvertaken ?? warnOnce())
    try {
      if (partitions !== undefined) consumer.assign(partitions.map((partition) => ({ topic, partition })))
      this.#records = consumer.records(topic, own.until === undefined ? {} : { until: own.until }) as unknown as RecordIterator<K, V>
    } catch (error) {
      void consumer.close()
      throw error
    }
    this.#consumer = consumer
  }

  /** The next record, which settles the one before; a record that is there comes without a promise. */
  pull(): Pulled<K, V> {
    return this.#records.pull()
  }

  /** Ends what waits; in a group, commits what is settled and leaves. Always ends. */
  close(): Promise<void> {
    return this.#consumer.close()
  }
}

/** What retention took is said, if nobody listens: the first time, for it may go on for long. */
function warnOnce(): (event: Overtaken) => void {
  let isWarned = false
  return ({ topic, partition, missed }) => {
    if (isWarned) return
    isWarned = true
    const message = `a stream from a topic: ${missed} record(s) of ${topic}-${partition} went by retention before they were read: `
    process.emitWarning(
      `${message}read faster, keep more (logMemoryBytes, retention.bytes), or count them by onOvertaken`,
      'MillraceWarning',
    )
  }
}
