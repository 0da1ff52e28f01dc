// What works on records by a loop of its own of a consumer: `consumer.process`, and chains of
// operators.
// Runs on the consumer's thread. Holds: closing the consumer closes them first, so that what
// their handlers end with is committed.

import { show } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { TurnYield } from '../event-loop.ts'
import type { BoundTopic } from '../topic.ts'
import type { ConsumerLoops } from './consumer-loops.ts'
import { ConsumerChain } from './consumer-chain.ts'
import type { ConsumerChainOptions } from './consumer-chain.ts'
import { ConsumerProcessSource } from './consumer-process-source.ts'
import type { ReadPartition } from './consumer-process-source.ts'
import { openDeadLetters } from './dead-letters.ts'
import type { DeadLetterOffice } from './dead-letters.ts'
import type { GroupConsumer } from './group-consumer.ts'
import type { ManualAssignment } from './manual-assignment.ts'
import type { PartitionFetcher } from './partition-fetcher.ts'
import type { PartitionFetchers } from './partition-fetchers.ts'
import { fillProcessOptions } from './process-config.ts'
import type { ProcessOptions } from './process-config.ts'
import { Processor } from './processor.ts'
import type { ProcessHandler } from './processor-parts.ts'

export interface ConsumerProcessingsOptions {
  readonly engine: EmbeddedEngine
  readonly fetchers: PartitionFetchers
  readonly loops: ConsumerLoops
  readonly group: GroupConsumer | undefined
  readonly groupId: string | undefined
  readonly assigned: ManualAssignment
  readonly random: Random
}

export class ConsumerProcessings {
  readonly #options: ConsumerProcessingsOptions
  readonly #open = new Set<Processor<never, never>>()

  constructor(options: ConsumerProcessingsOptions) {
    this.#options = options
  }

  /** Throws INVALID_CONFIG, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST. */
  begin<K, V>(topic: BoundTopic, options: ProcessOptions, handler: ProcessHandler<K, V>): Processor<K, V> {
    if (typeof handler !== 'function')
      throw new MillraceError(
        'INVALID_REQUEST',
        `consumer.process(topic, options, handler) takes a function as handler, not ${show(handler)}`,
      )
    const filled = fillProcessOptions(options)
    const { deadLetterTopic } = filled
    if (deadLetterTopic === topic.name)
      throw new MillraceError(
        'INVALID_CONFIG',
        `process option deadLetterTopic must be another topic than ${topic.name}: it would never end`,
      )
    const { engine, groupId, random } = this.#options
    // Bound by an open millrace: nobody else makes bound topics.
    const office = topic.owner as DeadLetterOffice
    const processor: Processor<K, V> = new Processor<K, V>({
      topic: topic.name,
      partitions: topic.partitions,
      source: this.#source<K, V>(topic),
      options: filled,
      handler,
      clock: engine.clock,
      random,
      openDeadLetters: deadLetterTopic === undefined ? undefined : () => openDeadLetters(office, deadLetterTopic, groupId),
      onClose: () => this.#open.delete(processor as unknown as Processor<never, never>),
    })
    this.#open.add(processor as unknown as Processor<never, never>)
    return processor
  }

  /** A loop for a chain of operators. Throws INVALID_REQUEST. */
  openChain<K, V>(topics: readonly BoundTopic[], options: ConsumerChainOptions): ConsumerChain<K, V> {
    const { loops, group, engine, fetchers } = this.#options
    return new ConsumerChain<K, V>(
      {
        openLoop: (settling) => loops.work(topics, { settling: 'manual', ...settling }, options.untilEnd),
        reads: () => topics.map((topic) => this.#reads(topic)),
        fetcher: (topic, partition) => fetchers.of(topic, partition),
        noteSettled: () => group?.noteSettled(),
        threadId: engine.threadId,
        wakeLoop: engine.wakeLoop,
        turnYield: new TurnYield(engine.clock),
      },
      options,
    )
  }

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** Closes all; gives the first failure that was told nowhere. */
  async close(timeoutMs: number): Promise<Error | undefined> {
    const closed = await Promise.allSettled([...this.#open].map((processor) => processor.close({ timeoutMs })))
    return closed.find((result) => result.status === 'rejected')?.reason as Error | undefined
  }

  #source<K, V>(topic: BoundTopic): ConsumerProcessSource<K, V> {
    const { engine, fetchers, loops, group } = this.#options
    const all = (): PartitionFetcher[] => [...topic.slots.keys()].map((partition) => fetchers.of(topic, partition))
    return new ConsumerProcessSource<K, V>({
      openLoop: (onRevoked) =>
        loops.work([topic], {
          settling: 'manual',
          onGoing: async ({ partition }) => onRevoked(partition),
          onGone: ({ partition }) => onRevoked(partition),
        }),
      fetchers: all,
      reads: () => this.#reads(topic),
      settleBelow: (partition, position) => {
        group?.owned(topic, partition)?.settleBelow(position)
        group?.noteSettled()
      },
      goBackTo: group === undefined ? (partition, position) => fetchers.of(topic, partition).seek(position) : undefined,
      clock: engine.clock,
      threadId: engine.threadId,
      wakeLoop: engine.wakeLoop,
      turnYield: new TurnYield(engine.clock),
    })
  }

  /** What its loop reads of a topic; undefined: it has not joined its group yet. */
  #reads(topic: BoundTopic): ReadPartition[] | undefined {
    const { fetchers, group, assigned } = this.#options
    const byHand = assigned.isEmpty ? undefined : assigned.of(topic)
    if (group === undefined)
      return (byHand ?? [...topic.slots.keys()]).map((partition) => ({ fetcher: fetchers.of(topic, partition), isRead: true }))
    const owned = group.assigned.filter((each) => each.topic.topicId === topic.topicId && each.state !== 'going')
    const isKnown = byHand === undefined ? group.groupMetadata.memberId !== '' : owned.length > 0
    return isKnown ? owned.map(({ fetcher, state }) => ({ fetcher, isRead: state === 'reading' })) : undefined
  }
}
