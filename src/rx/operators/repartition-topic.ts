// The way through an internal topic (Kafka Streams: repartition topics): sends what comes under its
// key, and reads, as another member of the same group, what any member has sent. Runs on the
// subscriber's thread.
//
//   fromTopic ─▶ keyBy ─▶ │ send ─▶ <groupId>-<name>-repartition ─▶ fromTopic │ ─▶ aggregate
//                           held until acked                         of the same group
//
// Holds: a record is held until the internal topic has it; its headers say where it came from, in
// order for each source partition; what the group has read and committed is deleted now and then.

import type { Subscriber, Subscription } from 'rxjs'
import type { AttachedMillrace } from '../../client/millrace.ts'
import type { Producer } from '../../client/producer/producer.ts'
import { msgpack } from '../../client/msgpack-serde.ts'
import { nullable } from '../../client/serde.ts'
import type { Serde } from '../../client/serde.ts'
import { asBoundTopic } from '../../client/topic.ts'
import type { BoundTopic } from '../../client/topic.ts'
import { defineTopic } from '../../client/topic-definition.ts'
import type { Topic } from '../../client/topic-definition.ts'
import { MillraceError } from '../../errors.ts'
import { abandonHolds, newChain, subscribeUpstream } from '../chain.ts'
import type { Chain, ChainSource } from '../chain.ts'
import { fromTopic } from '../from-topic.ts'
import type { FilledFromTopicOptions } from '../from-topic-config.ts'
import { currentOrigins, holdCurrent, isOutsideHold } from '../hold.ts'
import type { Hold } from '../hold.ts'
import { originOf } from '../millrace-record.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import type { SourcePartition } from '../source-partition.ts'
import { ORIGIN_HEADER, originText } from './origin-header.ts'
import { startPurging } from './repartition-purge.ts'

type AnyRecord = MillraceRecord<unknown, unknown>
type AnyTopic = Topic<unknown, unknown>

export interface ExchangeOptions {
  readonly name?: string | undefined
  readonly key?: Serde<unknown, never> | undefined
  readonly value?: Serde<unknown, never> | undefined
  readonly partitions?: number | undefined
}

export interface RepartitionOptions {
  readonly subscriber: Subscriber<AnyRecord>
  readonly chain: Chain
  readonly group: ChainSource
  readonly options: ExchangeOptions
  /** Of the operator. */
  readonly identity: object
  /** Whether origins must come in order, for an aggregate to tell what was sent twice. */
  readonly isOrdered: boolean
}

/** What was taken before the internal topic was there. */
interface Waiting {
  readonly record: AnyRecord
  readonly hold: Hold
  readonly origin: string | undefined
}

const producers = new WeakMap<AttachedMillrace, Producer>()
/** Who goes through an internal topic on this thread, so that two do not mix. */
const users = new WeakMap<AttachedMillrace, Map<string, { readonly identity: object; count: number }>>()

export class Repartition implements ChainSource {
  readonly owner: AttachedMillrace
  readonly groupId: string
  readonly options: FilledFromTopicOptions
  readonly name: string
  readonly #parts: RepartitionOptions
  readonly #indexes = new Map<SourcePartition, { offset: number; index: number }>()
  readonly #listeners = new Set<() => void>()
  #topic: AnyTopic | undefined
  #bound: BoundTopic | undefined
  #inner: ChainSource | undefined
  #subscription: Subscription | undefined
  #stopPurging: (() => void) | undefined
  #waiting: Waiting[] = []
  #inFlight = 0
  #isSourceOver = false
  #isStopped = false

  /** Throws INVALID_REQUEST. */
  constructor(parts: RepartitionOptions) {
    this.#parts = parts
    const { group, chain, isOrdered, options } = parts
    if (isOrdered && chain.unordered) throw outOfOrder()
    this.owner = group.owner
    this.groupId = group.groupId!
    this.options = group.options
    this.name = `${this.groupId}-${options.name ?? group.topics[0]?.name ?? 'records'}-repartition`
    enter(this.owner, this.name, parts.identity)
  }

  // As a source of its chain

  get topics(): readonly BoundTopic[] {
    return this.#bound === undefined ? [] : [this.#bound]
  }

  partitions(): readonly SourcePartition[] | undefined {
    return this.#inner?.partitions()
  }

  onCaughtUp(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  abandon(): void {
    this.#inner?.abandon()
  }

  // Its life

  async run(): Promise<void> {
    const { subscriber, chain, group, options } = this.#parts
    try {
      const partitions = options.partitions ?? Math.max(1, ...group.topics.map((topic) => topic.partitions))
      const definition = defineTopic(this.name, {
        partitions,
        key: nullable((options.key ?? chain.rekeyed?.key ?? msgpack()) as Serde<unknown>),
        value: nullable((options.value ?? chain.rekeyed?.value ?? msgpack()) as Serde<unknown>),
        config: { 'cleanup.policy': ['delete'], 'retention.ms': -1, 'retention.bytes': -1 },
      })
      const topic: AnyTopic = await this.owner.topic(definition)
      if (this.#isStopped) return
      this.#topic = topic
      this.#bound = asBoundTopic(topic)
      this.#stopPurging = startPurging(this.owner, this.groupId, this.name, this.#bound.engine.clock)
      // With an end to come to, all is sent first: what is read then has an end too.
      if (this.options.until === undefined) this.#read()
      for (const one of this.#waiting.splice(0)) this.#send(one)
      this.#lookOver()
    } catch (error) {
      subscriber.error(error)
    }
  }

  take(record: AnyRecord): void {
    const { chain, subscriber } = this.#parts
    try {
      const hold = isOutsideHold() ? record.hold() : holdCurrent(chain)
      const one = { record, hold, origin: this.#originOf(record) }
      this.#inFlight++
      if (this.#topic === undefined) this.#waiting.push(one)
      else this.#send(one)
    } catch (error) {
      subscriber.error(error)
    }
  }

  sourceIsOver(): void {
    this.#isSourceOver = true
    this.#lookOver()
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#stopPurging?.()
    this.#subscription?.unsubscribe()
    leave(this.owner, this.name)
    if (this.#inFlight > 0) abandonHolds(this.#parts.chain)
  }

  #send({ record, hold, origin }: Waiting): void {
    const { subscriber } = this.#parts
    const headers = Array.from(record.headers, ({ key, value }) => [key, value] as const).filter(([name]) => name !== ORIGIN_HEADER)
    const sent = producerOf(this.owner).send(this.#topic!, {
      key: record.key,
      value: record.value,
      timestamp: record.timestamp,
      headers: origin === undefined ? headers : [...headers, [ORIGIN_HEADER, origin]],
    })
    sent.then(
      () => {
        this.#inFlight--
        if (subscriber.closed) return
        hold.release()
        this.#lookOver()
      },
      (error: unknown) => subscriber.error(error),
    )
  }

  #read(): void {
    const { subscriber } = this.#parts
    const { groupId } = this
    const { until, maxInFlight, maxInFlightBytes, autoCommitIntervalMs } = this.options
    const settings = { groupId, maxInFlight, maxInFlightBytes, autoCommitIntervalMs, ...(until === undefined ? {} : { until }) }
    const records = fromTopic(this.#topic!, settings)
    const chain = newChain()
    this.#subscription = subscribeUpstream(chain, () =>
      records.subscribe({
        next: (record) => subscriber.next(record),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
    this.#inner = chain.sources[0]
    this.#inner?.onCaughtUp(() => {
      for (const listener of [...this.#listeners]) listener()
      this.#lookOver()
    })
  }

  /** All is sent, and nothing more will be: what is there is read to its end. */
  #lookOver(): void {
    if (!this.#isSourceOver || this.#inFlight > 0 || this.#topic === undefined || this.#parts.subscriber.closed) return
    if (this.#inner === undefined) return this.#read()
    if (this.options.until !== undefined) return
    if (this.#inner.partitions()?.every((partition) => partition.isCaughtUp) === true) this.#parts.subscriber.complete()
  }

  /** The record it came from, and which of those that came from that; in the order in which they come here. */
  #originOf(record: AnyRecord): string | undefined {
    if (this.#parts.chain.unordered) return undefined
    const origin = originOf(record) ?? currentOrigins()[0]
    if (origin === undefined) return undefined
    const { partition, offset } = origin
    const last = this.#indexes.get(partition)
    const index = last?.offset === offset ? last.index + 1 : 0
    if (last === undefined) {
      this.#indexes.set(partition, { offset, index })
      partition.onGone(() => this.#indexes.delete(partition))
    } else {
      last.offset = offset
      last.index = index
    }
    return originText({ topic: partition.topic, partition: partition.partition, offset, index })
  }
}

function producerOf(owner: AttachedMillrace): Producer {
  let producer = producers.get(owner)
  if (producer === undefined) {
    producer = owner.producer()
    producers.set(owner, producer)
  }
  return producer
}

/** Throws INVALID_REQUEST where another operator goes through the same topic. */
function enter(owner: AttachedMillrace, name: string, identity: object): void {
  let names = users.get(owner)
  if (names === undefined) {
    names = new Map()
    users.set(owner, names)
  }
  const user = names.get(name)
  if (user === undefined) names.set(name, { identity, count: 1 })
  else if (user.identity === identity) user.count++
  else {
    const message = `two chains of one group go through the internal topic ${name}, and would mix their records`
    throw new MillraceError('INVALID_REQUEST', `${message}: give aggregate or repartition a name`)
  }
}

function leave(owner: AttachedMillrace, name: string): void {
  const names = users.get(owner)
  const user = names?.get(name)
  if (user !== undefined && --user.count === 0) names!.delete(name)
}

function outOfOrder(): MillraceError {
  const message =
    'an operator before this aggregate hands records on in another order than that of the log, and after a crash those that were sent twice ' +
    "could not be told: give process order: 'partition', put it before another fromTopic, or give aggregate partitioned: 'as-is'"
  return new MillraceError('INVALID_REQUEST', message)
}
