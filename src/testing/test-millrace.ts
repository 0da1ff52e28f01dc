// The test kit: a millrace for one test, with what a test does to topics and waits for. Runs on the thread of the test.
// Holds: `close` always ends, and says what the test has left open.

import type { DescribedGroup } from '../client/admin/described-group.ts'
import type { EmbeddedMillrace } from '../client/millrace.ts'
import type { RecordMetadata } from '../client/producer/producer-batch.ts'
import type { ProducerRecord } from '../client/producer/producer-record.ts'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { describeMismatch, matchRecords } from './expected-records.ts'
import type { ExpectedRecord, TestRecord } from './expected-records.ts'
import { assignmentOf, lagTooLarge } from './group-waits.ts'
import type { OpenClients } from './open-clients.ts'
import { timedOut } from './test-time.ts'
import type { TestTime } from './test-time.ts'
import type { FilledTestMillraceOptions } from './test-millrace-config.ts'
import { TopicContents } from './topic-contents.ts'
import type { NamedTopic } from './topic-contents.ts'

/** How long to wait, instead of the kit's own `timeoutMs`. */
export interface WaitOptions {
  /** Virtual milliseconds inline, else real ones. */
  readonly timeoutMs?: number
}

/** How `expectRecords` waits. */
export interface ExpectOptions extends WaitOptions {
  /** True: the topic has no other records. */
  readonly exactly?: boolean
}

/**
 * A millrace for one test: what `testMillrace` gives. Topics are named by a string, for plain text and JSON, or by what
 * `millrace.topic` gave, for what its serdes take and give. Waits reject with REQUEST_TIMED_OUT, saying what is there instead.
 */
export class TestMillrace {
  /** The millrace itself: code that takes a Millrace runs unchanged. */
  readonly millrace: EmbeddedMillrace
  readonly #contents: TopicContents
  readonly #clients: OpenClients
  readonly #time: TestTime
  readonly #options: FilledTestMillraceOptions
  readonly #pendingTimers: () => Map<string, number>
  #closing: Promise<void> | undefined

  /** Made by `testMillrace`. */
  constructor(
    millrace: EmbeddedMillrace,
    clients: OpenClients,
    time: TestTime,
    options: FilledTestMillraceOptions,
    pendingTimers: () => Map<string, number>,
  ) {
    this.millrace = millrace
    this.#clients = clients
    this.#contents = new TopicContents(millrace, clients)
    this.#time = time
    this.#options = options
    this.#pendingTimers = pendingTimers
  }

  /**
   * Sends records, and resolves when they are acknowledged. By the name of a topic, which is made if it is missing: text and bytes
   * as they are, null as null, all else as JSON. Rejects as `producer.sendAll`.
   */
  produce<KIn, VIn>(
    topic: Topic<unknown, unknown, KIn, VIn>,
    records: readonly ProducerRecord<NoInfer<KIn>, NoInfer<VIn>>[],
  ): Promise<RecordMetadata[]>
  produce(topic: string, records: readonly ProducerRecord<unknown, unknown>[]): Promise<RecordMetadata[]>
  produce(topic: NamedTopic<unknown, unknown, never, never>, records: readonly object[]): Promise<RecordMetadata[]> {
    return this.#contents.produce(topic, records)
  }

  /**
   * All records of a topic at this moment: those of a partition in order, those of several by time; none where there is no such topic.
   * By the name of a topic: JSON objects and arrays are parsed, all else is text, or bytes where it is no text.
   */
  records<K, V>(topic: Topic<K, V, never, never>): Promise<TestRecord<K, V>[]>
  records(topic: string): Promise<TestRecord[]>
  records(topic: NamedTopic<unknown, unknown, never, never>): Promise<TestRecord[]> {
    return this.until(this.#contents.records(topic))
  }

  /**
   * Waits until a topic has a record for each expected one, those of a partition in this order; others may stand between them unless
   * `exactly` is set. What an expected record leaves out may be anything, inside of objects as well. Gives the records that they are.
   */
  expectRecords<K, V>(
    topic: Topic<K, V, never, never>,
    expected: readonly ExpectedRecord[],
    options?: ExpectOptions,
  ): Promise<TestRecord<K, V>[]>
  expectRecords(topic: string, expected: readonly ExpectedRecord[], options?: ExpectOptions): Promise<TestRecord[]>
  async expectRecords(
    topic: NamedTopic<unknown, unknown, never, never>,
    expected: readonly ExpectedRecord[],
    options: ExpectOptions = {},
  ): Promise<TestRecord[]> {
    const name = typeof topic === 'string' ? topic : topic.name
    let records: TestRecord[] = []
    const look = async (): Promise<TestRecord[] | undefined> => {
      records = await this.#contents.records(topic)
      const found = matchRecords(records, expected)
      const isThere = found.every((each) => each !== undefined)
      if (options.exactly === true && records.length > expected.length) throw timedOut(describeTooMany(name, records, expected))
      return isThere ? found : undefined
    }
    return this.#wait(look, options, () => describeMismatch(name, records, expected))
  }

  /**
   * Waits until a group has committed all but `lag` records of what it reads; a group that has no partitions yet is waited for. Offsets
   * are committed every `autoCommitIntervalMs` of its consumers.
   */
  async waitForLag(groupId: string, lag: number, options: WaitOptions = {}): Promise<void> {
    let wrong = ''
    const look = async (): Promise<true | undefined> => {
      wrong = (await lagTooLarge(this.millrace.admin, groupId, lag)) ?? ''
      return wrong === '' ? true : undefined
    }
    await this.#wait(look, options, () => `group "${groupId}" is more than ${lag} record(s) behind: ${wrong}`)
  }

  /** Waits until a group is stable, with so many members if that is said, and each has the partitions that it will have. */
  waitForAssignment(groupId: string, members?: number, options: WaitOptions = {}): Promise<DescribedGroup> {
    let wrong = ''
    const look = async (): Promise<DescribedGroup | undefined> => {
      const found = await assignmentOf(this.millrace.admin, groupId, members)
      if (typeof found !== 'string') return found
      wrong = found
      return undefined
    }
    const count = members === undefined ? '' : ` of ${members} member(s)`
    return this.#wait(look, options, () => `group "${groupId}" has no assignment${count}: ${wrong}`)
  }

  /** Waits until a condition holds; it is asked at first, and whenever something may have happened. */
  async waitFor(condition: () => boolean | Promise<boolean>, options: WaitOptions & { readonly what?: string } = {}): Promise<void> {
    const look = async (): Promise<true | undefined> => ((await condition()) ? true : undefined)
    await this.#wait(look, options, () => `${options.what ?? 'what the test waits for'} has not come about`)
  }

  /** Gives what a promise resolves to: inline, time moves until it does. Rejects as it does. */
  until<T>(promise: Promise<T>, options: WaitOptions = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs
    return this.#time.settled(promise, this.#time.nowMs + timeoutMs, `a promise was not settled within ${timeoutMs} ms`)
  }

  /**
   * Ends millrace and all that was made of it. Rejects with INVALID_REQUEST, once all is ended, when the test has left something open:
   * producers and consumers, subscriptions of `fromTopic` and others, timers of the kit's clock; `leakCheck: false` does without.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const untilMs = this.#time.nowMs + CLOSE_TIMEOUT_MS
    await this.#time.settled(this.#contents.close(), untilMs, 'the producer of the test kit does not close')
    const left = this.#clients.describe()
    const timers = this.#pendingTimers().get(CLOCK_OF_THE_TEST) ?? 0
    if (timers > 0) left.push(`${timers} timer(s) of the kit's clock`)
    await this.#time.settled(this.millrace.close(), untilMs, `millrace does not close within ${CLOSE_TIMEOUT_MS} ms`)
    for (const [owner, count] of this.#pendingTimers()) if (owner !== CLOCK_OF_THE_TEST) left.push(`${count} timer(s) of ${owner}`)
    if (left.length === 0 || !this.#options.leakCheck) return
    const list = left.map((each) => `\n  - ${each}`).join('')
    throw new MillraceError('INVALID_REQUEST', `the test has closed its millrace, and left open what it has to close itself:${list}`)
  }

  /** Looks until there is a result; each look may take its time. */
  async #wait<T>(look: () => Promise<T | undefined>, options: WaitOptions, describe: () => string): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs
    const untilMs = this.#time.nowMs + timeoutMs
    const failed = (): string => `within ${timeoutMs} ms: ${describe()}`
    for (;;) {
      const isLast = this.#time.nowMs >= untilMs
      // A look takes no time to speak of; one that hangs is no reason to hang.
      const found = await this.#time.settled(look(), Math.max(untilMs, this.#time.nowMs + LOOK_TIMEOUT_MS), failed())
      if (found !== undefined) return found
      if (isLast) throw timedOut(failed())
      await this.#time.step(untilMs)
    }
  }
}

/** As its timers are named. */
export const CLOCK_OF_THE_TEST = 'the test'
const CLOSE_TIMEOUT_MS = 20_000
const LOOK_TIMEOUT_MS = 10_000

function describeTooMany(topic: string, records: readonly TestRecord[], expected: readonly ExpectedRecord[]): string {
  const mismatch = describeMismatch(topic, records, expected)
  return `topic "${topic}" has ${records.length} record(s), and exactly ${expected.length} are expected\n${mismatch}`
}
