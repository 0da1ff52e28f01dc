// The brokers of this process, in shared memory: which thread to ring for which broker.
//
//   one cache line (64 bytes) a broker, 64 lines
//   +0   int32  thread        id of its bell + 1; 0: it never ran
//   +4   int32  incarnation   goes up each time the broker is started
//   +8   int32  turns         duty cycles done, wrapping: what the console and tests look at
//   +12  int32  given up      1: it died too often and is not started again
//   +16  int64  metadata      offset up to which it has acted on the metadata log
//   +24  int32  worker        worker_threads id of its thread
//   +28  int32  closing       of the first line alone; 1: millrace is being closed
//
// Written by the broker itself, but `given up` and `closing` by its host; read by everybody.

import type { Bells } from '../bells.ts'
import { BROKERS_MAX, threadId } from '../ids.ts'
import type { ThreadId } from '../ids.ts'

const LINE_WORDS = 16
const THREAD = 0
const INCARNATION = 1
const TURNS = 2
const GIVEN_UP = 3
const WORKER = 6
const CLOSING = 7
const LINE_LONGS = 8
const METADATA_LONG = 2

export class BrokerTable {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #longs: BigInt64Array<SharedArrayBuffer>

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(BROKERS_MAX * LINE_WORDS * 4)
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
    this.#longs = new BigInt64Array(buffer)
  }

  /** `workerThread`: the worker_threads id. */
  started(brokerId: number, incarnation: number, thread: ThreadId, workerThread: number): void {
    this.publishMetadataOffset(brokerId, 0)
    Atomics.store(this.#words, brokerId * LINE_WORDS + WORKER, workerThread)
    Atomics.store(this.#words, brokerId * LINE_WORDS + INCARNATION, incarnation)
    Atomics.store(this.#words, brokerId * LINE_WORDS + THREAD, thread + 1)
  }

  /** The thread to ring for a broker, undefined when it never ran. */
  threadOf(brokerId: number): ThreadId | undefined {
    const thread = Atomics.load(this.#words, brokerId * LINE_WORDS + THREAD)
    return thread === 0 ? undefined : threadId(thread - 1)
  }

  /** Wakes a broker, if it ever ran. */
  ring(bells: Bells, brokerId: number): void {
    const thread = this.threadOf(brokerId)
    if (thread !== undefined) bells.ring(thread)
  }

  /** The worker_threads id of its thread. */
  workerThreadOf(brokerId: number): number {
    return Atomics.load(this.#words, brokerId * LINE_WORDS + WORKER)
  }

  /** All that ever ran. */
  brokerIds(): number[] {
    return Array.from({ length: BROKERS_MAX }, (_, brokerId) => brokerId).filter((brokerId) => this.threadOf(brokerId) !== undefined)
  }

  incarnationOf(brokerId: number): number {
    return Atomics.load(this.#words, brokerId * LINE_WORDS + INCARNATION)
  }

  publishMetadataOffset(brokerId: number, offset: number): void {
    Atomics.store(this.#longs, brokerId * LINE_LONGS + METADATA_LONG, BigInt(offset))
  }

  /** Everything in the metadata log below it the broker has acted on. */
  metadataOffsetOf(brokerId: number): number {
    return Number(Atomics.load(this.#longs, brokerId * LINE_LONGS + METADATA_LONG))
  }

  giveUp(brokerId: number): void {
    Atomics.store(this.#words, brokerId * LINE_WORDS + GIVEN_UP, 1)
  }

  isGivenUp(brokerId: number): boolean {
    return Atomics.load(this.#words, brokerId * LINE_WORDS + GIVEN_UP) === 1
  }

  /** Whether no broker is left that may run again. */
  get areAllGivenUp(): boolean {
    return this.brokerIds().every((brokerId) => this.isGivenUp(brokerId))
  }

  /** Before the first broker is asked to stop. */
  beginClosing(): void {
    Atomics.store(this.#words, CLOSING, 1)
  }

  /** Brokers that end now have not died. */
  get isClosing(): boolean {
    return Atomics.load(this.#words, CLOSING) === 1
  }

  countTurn(brokerId: number): void {
    const at = brokerId * LINE_WORDS + TURNS
    this.#words[at] = (this.#words[at]! + 1) | 0
  }

  turnsOf(brokerId: number): number {
    return Atomics.load(this.#words, brokerId * LINE_WORDS + TURNS)
  }
}
