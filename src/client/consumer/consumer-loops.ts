// The loops of a consumer: over all partitions of topics or those assigned by hand, without a
// group; over those assigned by hand, with one; or over those that the group assigns. Runs on
// its user's thread. Holds: a topic is read by one loop of a consumer at a time.

import { INT_MAX } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import { equalTopicIds } from '../../ids.ts'
import type { MetadataDelta } from '../../metadata/metadata-delta.ts'
import type { TurnYield } from '../event-loop.ts'
import { asBoundTopic } from '../topic.ts'
import type { BoundTopic } from '../topic.ts'
import { AssignedPartitions } from './assigned-partitions.ts'
import { BatchIterator } from './batch-iterator.ts'
import type { FilledConsumerOptions } from './consumer-config.ts'
import type { GroupConsumer } from './group-consumer.ts'
import { GroupEnds } from './group-ends.ts'
import { noGroupError } from './group-errors.ts'
import { GroupReading } from './group-reading.ts'
import type { GroupReadingOptions, ReadingGroup } from './group-reading.ts'
import type { BoundPartition, ManualAssignment } from './manual-assignment.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import type { PartitionFetchers } from './partition-fetchers.ts'
import { checkReadOptions } from './read-options.ts'
import type { ReadOptions } from './read-options.ts'
import type { RecordBatches } from './record-iterator.ts'
import { Subscription } from './subscription.ts'
import { TopicPattern } from './topic-pattern.ts'

export interface ConsumerLoopsOptions {
  readonly engine: EmbeddedEngine
  readonly consumer: FilledConsumerOptions
  readonly fetchers: PartitionFetchers
  readonly turnYield: TurnYield
  readonly group: GroupConsumer | undefined
  readonly assigned: ManualAssignment
}

/** How the records of a loop are settled, where its consumer has a group. */
export type Settling = Pick<GroupReadingOptions, 'settling' | 'onReading' | 'onGoing' | 'onGone' | 'onAtEnd'>

type Loop = RecordBatches<unknown, unknown> & { close(): void; fail(error: Error): void }
type IteratorOptions = GroupReadingOptions['iterator']

export class ConsumerLoops {
  readonly #options: ConsumerLoopsOptions
  /** Loops that no group assigns to, by topic id. */
  readonly #byHand = new Map<string, Loop>()
  readonly #all = new Set<Loop>()
  /** Of loops that have ended: what is still under way for them. */
  readonly #endings = new Set<Promise<void>>()

  constructor(options: ConsumerLoopsOptions) {
    this.#options = options
  }

  /** Whether a loop runs over partitions that the group assigns, or waits for its first `next`. */
  get areSubscribed(): boolean {
    return this.#all.size > new Set(this.#byHand.values()).size
  }

  /** Throws INVALID_CONFIG, INVALID_REQUEST. */
  read(what: unknown, options: ReadOptions): Loop {
    const { until, signal } = checkReadOptions(options)
    const { group, assigned, turnYield } = this.#options
    const topics = what instanceof TopicPattern ? what : boundTopics(what)
    if (!(topics instanceof TopicPattern)) this.#checkUnread(topics)
    const untilEnd = until === 'end'
    if (topics instanceof TopicPattern || (group !== undefined && assigned.isEmpty)) {
      if (group === undefined) throw noGroupError('a pattern of topics')
      if (!assigned.isEmpty) throw new MillraceError('INVALID_REQUEST', 'a pattern is for topics that the group assigns: assign([]) first')
      return this.#subscribe(group, topics, untilEnd, this.#iteratorOptions(signal, turnYield), {})
    }
    return group === undefined ? this.#readAll(topics, untilEnd, signal) : this.#readAssigned(group, topics, untilEnd, signal)
  }

  /** A loop as `read` gives it, whose records are settled by whoever works on them. */
  work(topics: readonly BoundTopic[], settling: Settling, untilEnd = false): Loop {
    const { group, assigned, turnYield } = this.#options
    this.#checkUnread(topics)
    if (group === undefined) return this.#readAll(topics, untilEnd, undefined)
    if (!assigned.isEmpty) return this.#readAssigned(group, topics, untilEnd, undefined, settling)
    return this.#subscribe(group, topics, untilEnd, this.#iteratorOptions(undefined, turnYield), settling)
  }

  /** Ends all; resolves when what is settled is committed, and the group left. */
  async close(): Promise<void> {
    for (const loop of [...this.#all]) loop.close()
    await Promise.all(this.#endings)
  }

  fail(error: Error): void {
    for (const loop of [...this.#all]) loop.fail(error)
  }

  #iteratorOptions(signal: AbortSignal | undefined, turnYield: TurnYield): IteratorOptions {
    const { engine, fetchers, consumer } = this.#options
    const { fetchMinBytes: minBytes, fetchMaxWaitMs: maxWaitMs, maxPollRecords } = consumer
    const { threadId, wakeLoop, clock } = engine
    return {
      threadId,
      fetchBytes: fetchers.fetchBytes,
      maxRecords: maxPollRecords === INT_MAX ? Number.POSITIVE_INFINITY : maxPollRecords,
      delay: minBytes > 1 ? { minBytes, maxWaitMs, clock } : undefined,
      wakeLoop,
      turnYield,
      signal,
    }
  }

  #subscribe(
    group: GroupConsumer,
    topics: readonly BoundTopic[] | TopicPattern<unknown, unknown>,
    untilEnd: boolean,
    iterator: IteratorOptions,
    settling: Settling,
  ): GroupReading {
    const { engine, fetchers } = this.#options
    const subscription = new Subscription(engine, topics)
    const all = (): PartitionFetcher[] =>
      [...subscription.topics.values()].flatMap((topic) => [...topic.slots.keys()].map((partition) => fetchers.of(topic, partition)))
    const ends = untilEnd ? this.#endsOf(group, all()) : undefined
    const forget = (): unknown => this.#all.delete(reading)
    const reading = new GroupReading({ group: this.#heard(group, forget), iterator, ends, ...settling })
    group.subscribe(reading, subscription)
    this.#all.add(reading)
    return reading
  }

  /** As a loop sees it, whose end is heard of here. */
  #heard(group: ReadingGroup, onEnd: () => void): ReadingGroup {
    return {
      fence: group.fence,
      begin: (reading) => group.begin(reading),
      asked: () => group.asked(),
      mayHandOut: () => group.mayHandOut(),
      handedOut: () => group.handedOut(),
      noteSettled: () => group.noteSettled(),
      ended: (reading) => {
        onEnd()
        const ending = group.ended(reading)
        this.#endings.add(ending)
        void ending.then(() => this.#endings.delete(ending))
        return ending
      },
    }
  }

  #readAssigned(
    group: GroupConsumer,
    topics: readonly BoundTopic[],
    untilEnd: boolean,
    signal: AbortSignal | undefined,
    settling: Settling = {},
  ): GroupReading {
    const { fetchers, turnYield } = this.#options
    const read = this.#assignedOf(topics)
    const ends = untilEnd
      ? this.#endsOf(
          group,
          read.map(({ topic, partition }) => fetchers.of(topic, partition)),
        )
      : undefined
    const forget = (): void => this.#forget(topics, reading)
    const byHand = this.#heard(new AssignedPartitions(group, read), forget)
    const reading = new GroupReading({ group: byHand, iterator: this.#iteratorOptions(signal, turnYield), ends, ...settling })
    this.#remember(topics, reading)
    return reading
  }

  #endsOf(group: GroupConsumer, fetchers: readonly PartitionFetcher[]): GroupEnds {
    const { engine } = this.#options
    return new GroupEnds({
      fetchers,
      owned: (key) => group.partitions.get(key),
      committed: (some) => group.commits.fetch(some, 'anybody'),
      commitOwn: () => (group.commits.isAutomatic ? group.commits.commitSettled(group.assigned) : Promise.resolve()),
      clock: engine.clock,
      wake: () => engine.wakeLoop.wake(),
    })
  }

  #readAll(topics: readonly BoundTopic[], untilEnd: boolean, signal: AbortSignal | undefined): BatchIterator {
    const { engine, fetchers, turnYield, assigned } = this.#options
    const read = this.#assignedOf(topics).map(({ topic, partition }) => {
      const fetcher = fetchers.of(topic, partition)
      fetcher.topic = topic
      fetcher.source = topic
      return fetcher
    })
    const iterator = new BatchIterator({
      ...this.#iteratorOptions(signal, turnYield),
      fetchers: read,
      untilEnd,
      onEnd: () => {
        stopGrowing?.()
        this.#forget(topics, iterator)
      },
    })
    const isGrowing = assigned.isEmpty && !untilEnd
    const stopGrowing = isGrowing ? engine.onMetadata((delta) => this.#grow(topics, iterator, delta)) : undefined
    this.#remember(topics, iterator)
    // What came between looking and listening was told to nobody.
    if (isGrowing) for (const topic of topics) for (const partition of topic.slots.keys()) this.#addTo(iterator, topic, partition, read)
    return iterator
  }

  /** Reads partitions that a topic was given while all of it is read: from their beginning, for nothing in them is old. */
  #grow(topics: readonly BoundTopic[], iterator: BatchIterator, delta: MetadataDelta): void {
    for (const { topic: image, partition, previous } of delta.changedPartitions()) {
      if (previous !== undefined) continue
      const topic = topics.find(({ topicIdWords }) => equalTopicIds(image.topicId, topicIdWords))
      if (topic !== undefined) this.#addTo(iterator, topic, partition.partitionId, [])
    }
  }

  #addTo(iterator: BatchIterator, topic: BoundTopic, partition: number, known: readonly PartitionFetcher[]): void {
    const { fetchers } = this.#options
    const isKnown = fetchers.isKnown(topic, partition)
    const fetcher = fetchers.of(topic, partition)
    if (known.includes(fetcher)) return
    if (!isKnown) fetcher.seekLazily('earliest')
    fetcher.topic = topic
    fetcher.source = topic
    iterator.add(fetcher)
  }

  #assignedOf(topics: readonly BoundTopic[]): BoundPartition[] {
    const { assigned } = this.#options
    const read = topics.flatMap((topic) =>
      (assigned.isEmpty ? [...topic.slots.keys()] : assigned.of(topic)).map((partition) => ({ topic, partition })),
    )
    if (read.length > 0) return read
    const names = topics.map(({ name }) => name).join(', ')
    throw new MillraceError('INVALID_REQUEST', `no partition of topic ${names} is assigned to this consumer: name some in assign(…)`)
  }

  #checkUnread(topics: readonly BoundTopic[]): void {
    for (const { topicId, name } of topics) {
      if (!this.#byHand.has(topicId) && this.#options.group?.isReading(topicId) !== true) continue
      throw new MillraceError('INVALID_REQUEST', `this consumer reads topic ${name} already: end that loop first, or take another consumer`)
    }
  }

  #remember(topics: readonly BoundTopic[], loop: Loop): void {
    this.#all.add(loop)
    for (const { topicId } of topics) this.#byHand.set(topicId, loop)
  }

  #forget(topics: readonly BoundTopic[], loop: Loop): void {
    this.#all.delete(loop)
    for (const { topicId } of topics) if (this.#byHand.get(topicId) === loop) this.#byHand.delete(topicId)
  }
}

/** Throws INVALID_REQUEST. */
function boundTopics(what: unknown): BoundTopic[] {
  if (!Array.isArray(what)) return [asBoundTopic(what)]
  if (what.length === 0) throw new MillraceError('INVALID_REQUEST', 'no topic is named: give one, or several')
  return what.map((topic) => asBoundTopic(topic))
}
