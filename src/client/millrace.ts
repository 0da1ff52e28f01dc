// What a user holds: an open millrace on one thread, its topics, producers and consumers.
// Runs on the thread that opened or attached.
// Holds: closing it closes everything that was made from it.

import type { AttachAddress } from '../actor/attach-port.ts'
import type { Cluster } from '../broker/cluster.ts'
import type { EmbeddedEngine } from '../engine/embedded-engine.ts'
import { MillraceError } from '../errors.ts'
import { engineRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { Admin } from './admin/admin.ts'
import { Consumer } from './consumer/consumer.ts'
import { fillConsumerOptions } from './consumer/consumer-config.ts'
import type { ConsumerOptions } from './consumer/consumer-config.ts'
import { Producer } from './producer/producer.ts'
import { fillProducerOptions } from './producer/producer-config.ts'
import type { ProducerOptions } from './producer/producer-config.ts'
import { BoundTopic } from './topic.ts'
import { effectiveTopicConfig } from '../config/effective-topic-config.ts'
import { topicConfigDifferences, topicConfigFromText, topicConfigToText } from '../config/topic-config-check.ts'
import { checkReplicationFactor, checkTopicName, defineTopic, prepareSerdes } from './topic-definition.ts'
import type { Topic, TopicDefinition, TopicOptions } from './topic-definition.ts'
import { brokerConfigNow } from './topic-settings.ts'

/** What another thread attaches with: plain data, cloneable, usable any number of times. */
export type MillraceHandle = AttachAddress & { readonly kind: 'millrace' }

/**
 * An open millrace on one thread, wherever its brokers are. Everything that is made from
 * it belongs to this thread, and is closed with it.
 */
export interface Millrace {
  /**
   * Creates the topic if it is missing, checks it if it is there, and binds it to this
   * thread: what produce and consume take. Rejects with INVALID_CONFIG when an existing
   * topic has fewer partitions or other configs than asked for, with what `defineTopic`
   * throws, REQUEST_TIMED_OUT, CLOSED, and ABORTED by its signal.
   */
  topic<K, V, KIn, VIn>(definition: TopicDefinition<K, V, KIn, VIn>, options?: { signal?: AbortSignal }): Promise<Topic<K, V, KIn, VIn>>
  topic<K = string | null, V = unknown, KIn = K, VIn = V>(
    name: string,
    options?: TopicOptions<K, V, KIn, VIn> & { readonly signal?: AbortSignal },
  ): Promise<Topic<K, V, KIn, VIn>>
  /** One a thread is enough for all topics. Throws INVALID_CONFIG, CLOSED. */
  producer(options?: ProducerOptions): Producer
  /** Reads topics, with positions of its own. Throws INVALID_CONFIG, CLOSED. */
  consumer(options?: ConsumerOptions): Consumer
  /** Looks at topics and partitions. */
  readonly admin: Admin
  /**
   * Flushes producers, ends consumers, and lets go of every thread, timer and port; always
   * ends, within `timeoutMs` (default: 5000) and a little. Rejects then with a failure of
   * offered records that was told nowhere. Closing where millrace was opened ends it for
   * every attached thread: their calls fail with CLOSED.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A millrace whose brokers are threads of this process. */
export interface EmbeddedMillrace extends Millrace {
  /** Give it to any thread of this process, in `workerData` or a message, for `attachMillrace`. */
  readonly handle: MillraceHandle
}

const CLOSE_TIMEOUT_MS = 5_000

/** A producer or consumer that was made of a millrace. */
export interface MadeClient {
  readonly client: Producer | Consumer
  readonly groupId: string | undefined
  readonly isOpen: () => boolean
}

/** What an AttachedMillrace has beside its engine. */
export interface Surroundings {
  /** On the thread that opened it. */
  readonly cluster?: Cluster | undefined
  readonly random?: Random | undefined
  readonly onMade?: ((made: MadeClient) => void) | undefined
}

export class AttachedMillrace implements EmbeddedMillrace {
  readonly handle: MillraceHandle
  readonly admin: Admin
  readonly #engine: EmbeddedEngine
  /** On the thread that opened it. */
  readonly #cluster: Cluster | undefined
  readonly #random: Random
  readonly #onMade: ((made: MadeClient) => void) | undefined
  readonly #open = new Set<Producer | Consumer>()
  #closing: Promise<void> | undefined

  constructor(engine: EmbeddedEngine, handle: MillraceHandle, surroundings: Surroundings = {}) {
    this.#engine = engine
    this.handle = handle
    const { cluster, random = engineRandom, onMade } = surroundings
    this.#cluster = cluster
    this.#random = random
    this.#onMade = onMade
    this.admin = new Admin(engine)
  }

  async topic<K, V, KIn, VIn>(
    topic: TopicDefinition<K, V, KIn, VIn> | string,
    options?: TopicOptions<K, V, KIn, VIn> & { readonly signal?: AbortSignal },
  ): Promise<Topic<K, V, KIn, VIn>> {
    this.#checkOpen()
    const { signal, ...rest } = options ?? {}
    const definition =
      typeof topic === 'string'
        ? defineTopic<K, V, KIn, VIn>(topic, typeof options === 'object' ? rest : options)
        : checkDefinition(topic, rest)
    checkReplicationFactor(definition)
    const plain = definition as unknown as TopicDefinition<unknown, unknown, never, never>
    const [bound] = await Promise.all([this.#bind(plain, signal), prepareSerdes(plain)])
    return bound as unknown as Topic<K, V, KIn, VIn>
  }

  producer(options?: ProducerOptions): Producer {
    this.#checkOpen()
    const filled = fillProducerOptions(options)
    const producer = new Producer(this.#engine, filled, this.#random, () => this.#open.delete(producer))
    this.#open.add(producer)
    this.#onMade?.({ client: producer, groupId: undefined, isOpen: () => this.#open.has(producer) })
    return producer
  }

  consumer(options?: ConsumerOptions): Consumer {
    this.#checkOpen()
    const filled = fillConsumerOptions(options)
    const consumer = new Consumer(this.#engine, filled, () => this.#open.delete(consumer), this.#random)
    this.#open.add(consumer)
    this.#onMade?.({ client: consumer, groupId: filled.groupId, isOpen: () => this.#open.has(consumer) })
    return consumer
  }

  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#engine
    const untilMs = clock.monotonicMs() + timeoutMs
    const consumers = [...this.#open].filter((each) => each instanceof Consumer)
    // Handlers that end still send.
    const closed = await Promise.allSettled(consumers.map((each) => each.close({ timeoutMs })))
    const leftMs = Math.max(0, untilMs - clock.monotonicMs())
    closed.push(...(await Promise.allSettled([...this.#open].map((each) => each.close({ timeoutMs: leftMs })))))
    this.#engine.close()
    await this.#cluster?.close({ timeoutMs })
    // A failure that nobody was told of is told here, after everything was let go.
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }

  async #bind(definition: TopicDefinition<unknown, unknown, never, never>, signal: AbortSignal | undefined): Promise<BoundTopic> {
    for (;;) {
      const existing = await this.#engine.describeTopic(definition.name, signal)
      if (existing !== undefined) {
        this.#checkSame(definition, existing.partitions.length, existing.config)
        return new BoundTopic(definition, existing, this.#engine, this)
      }
      try {
        const config = topicConfigToText(definition.config)
        const partitions = definition.partitions ?? this.#engine.brokerConfig['num.partitions'] ?? 1
        const created = await this.#engine.createTopic({ name: definition.name, partitions, config }, signal)
        return new BoundTopic(definition, created, this.#engine, this)
      } catch (error) {
        // Another thread was faster, or the controller died after it had made it: look again.
        if (!(error instanceof MillraceError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error
      }
    }
  }

  #checkSame(
    definition: TopicDefinition<unknown, unknown, never, never>,
    partitions: number,
    config: Readonly<Record<string, string>>,
  ): void {
    const inherited = effectiveTopicConfig({}, brokerConfigNow(this.#engine))
    const differences = topicConfigDifferences(topicConfigFromText(config), definition.config, inherited)
    if (definition.partitions !== undefined && partitions < definition.partitions) {
      differences.unshift(`it has ${partitions} partition(s), not ${definition.partitions}`)
    }
    if (differences.length === 0) return
    const message = `topic "${definition.name}" exists and differs: ${differences.join('; ')}. Define it as it is, or take another name`
    throw new MillraceError('INVALID_CONFIG', message)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined || this.#engine.closed)
      throw new MillraceError('CLOSED', 'this millrace is closed: open or attach another one')
  }
}

/** Refuses what `defineTopic` did not give. */
function checkDefinition<Definition extends object>(definition: Definition, options: object): Definition {
  const given = definition as Partial<TopicDefinition> | null | undefined
  if (typeof given !== 'object' || given === null) checkTopicName(given)
  const remedy = 'millrace.topic takes a name and options, or what defineTopic gave'
  if (given instanceof BoundTopic) throw new MillraceError('INVALID_REQUEST', `topic "${given.name}" is bound already: ${remedy}`)
  if (given?.key === undefined || given.value === undefined || given.config === undefined)
    throw new MillraceError('INVALID_REQUEST', remedy)
  if (Object.keys(options).length > 0)
    throw new MillraceError('INVALID_REQUEST', `${remedy}: put these options into the definition of "${given.name}"`)
  checkTopicName(given.name)
  return definition
}
