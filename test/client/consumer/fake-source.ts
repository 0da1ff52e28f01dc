// A source of `process` that the test fills by hand, and what a processor on it is made of:
// time is virtual, dead letters are kept, and the test says when they are acknowledged.

import type { ConsumerRecord } from '../../../src/client/consumer/consumer-record.ts'
import type { DeadLetters } from '../../../src/client/consumer/dead-letters.ts'
import { FetchBuffer } from '../../../src/client/consumer/fetch-buffer.ts'
import { fillProcessOptions } from '../../../src/client/consumer/process-config.ts'
import type { ProcessOptions } from '../../../src/client/consumer/process-config.ts'
import type { ProcessSource, SourceBatch } from '../../../src/client/consumer/process-source.ts'
import { Processor } from '../../../src/client/consumer/processor.ts'
import type { ProcessHandler } from '../../../src/client/consumer/processor-parts.ts'
import { asBoundTopic } from '../../../src/client/topic.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { seededRandom } from '../../../src/random.ts'
import { plainBatch } from '../../record/plain-batch.ts'
import { HandDrivenLog } from './hand-driven-log.ts'

export const PARTITIONS = 3

export interface FakeRecord {
  readonly key?: string | null
  readonly value?: string | Uint8Array<ArrayBuffer>
}

type Batch = SourceBatch<string | null, string>

export class FakeSource implements ProcessSource<string | null, string> {
  readonly topic = asBoundTopic(new HandDrivenLog().topic(PARTITIONS))
  readonly positions = new Map<number, number>()
  readonly held = new Set<number>()
  readonly #ends = new Map<number, number>()
  /** What could not be committed. */
  closeFails: Error | undefined
  closedWithMs: number | undefined
  #waiting: Batch[] = []
  #asked: PromiseWithResolvers<Batch | undefined> | undefined
  #caughtUp: (() => void)[] = []
  #onRevoked: (partitions: readonly number[]) => void = () => undefined

  /** A batch behind the last one of its partition, or from an offset on; `gap` offsets behind it hold no record. */
  add(partition: number, records: readonly FakeRecord[], { from, gap = 0 }: { from?: number; gap?: number } = {}): void {
    const firstOffset = from ?? this.#ends.get(partition) ?? 0
    const bytes = plainBatch(
      records.map(({ key, value }) => ({ timestamp: 1_000, key: text(key ?? null), value: text(value ?? 'v'), headers: [] })),
      { baseOffset: firstOffset },
    )
    const buffer = new FetchBuffer(bytes.length)
    buffer.bytes.set(bytes)
    buffer.length = bytes.length
    const nextOffset = firstOffset + records.length + gap
    this.#ends.set(partition, nextOffset)
    this.#waiting.push(buffer.hold(this.topic, partition, firstOffset, nextOffset) as unknown as Batch)
    this.#give()
  }

  fail(error: Error): void {
    this.#asked?.reject(error)
  }

  revoke(...partitions: number[]): void {
    this.#waiting = this.#waiting.filter(({ partition }) => !partitions.includes(partition))
    for (const partition of partitions) this.held.delete(partition)
    this.#onRevoked(partitions)
  }

  /** Batches that nobody has asked for. */
  get waiting(): number {
    return this.#waiting.length
  }

  next(): Promise<Batch | undefined> {
    if (this.#asked !== undefined) throw new Error('asked twice')
    this.#asked = Promise.withResolvers()
    const { promise } = this.#asked
    this.#give()
    return promise
  }

  hold(partition: number): void {
    this.held.add(partition)
  }

  release(partition: number): void {
    if (!this.held.delete(partition)) throw new Error('released, and was not held')
    this.#give()
  }

  settled(partition: number, position: number): void {
    if (this.closedWithMs !== undefined) throw new Error('settled after close')
    this.positions.set(partition, position)
  }

  caughtUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#caughtUp.push(resolve)
      this.#give()
    })
  }

  onRevoked(listener: (partitions: readonly number[]) => void): void {
    this.#onRevoked = listener
  }

  async close(timeoutMs: number): Promise<void> {
    this.closedWithMs = timeoutMs
    this.#asked?.resolve(undefined)
    if (this.closeFails !== undefined) throw this.closeFails
  }

  #give(): void {
    const at = this.#waiting.findIndex(({ partition }) => !this.held.has(partition))
    if (at >= 0 && this.#asked !== undefined) {
      const [batch] = this.#waiting.splice(at, 1)
      const { resolve } = this.#asked
      this.#asked = undefined
      resolve(batch)
    }
    if (this.#waiting.length === 0) for (const resolve of this.#caughtUp.splice(0)) resolve()
  }
}

/** A dead letter that was written. */
export interface FakeLetter {
  readonly record: ConsumerRecord
  readonly error: unknown
  readonly attempts: number
  acknowledge(): void
  refuse(error: Error): void
}

export class Fixture {
  readonly source = new FakeSource()
  readonly clock = new VirtualClock()
  readonly letters: FakeLetter[] = []
  /** Letters are acknowledged at once. */
  acknowledges = true
  readonly processor: Processor<string | null, string>
  isOver = false

  constructor(options: ProcessOptions, handler: ProcessHandler<string | null, string>, openDeadLetters?: () => Promise<DeadLetters>) {
    const letters: DeadLetters = {
      write: (record, error, attempts) =>
        new Promise((acknowledge, refuse) => {
          this.letters.push({ record, error, attempts, acknowledge, refuse })
          if (this.acknowledges) acknowledge()
        }),
      close: () => Promise.resolve(),
    }
    const filled = fillProcessOptions(options)
    this.processor = new Processor({
      topic: 'mail',
      partitions: PARTITIONS,
      source: this.source,
      options: filled,
      handler,
      clock: this.clock,
      random: seededRandom(1),
      openDeadLetters: openDeadLetters ?? (filled.deadLetterTopic === undefined ? undefined : async () => letters),
      onClose: () => (this.isOver = true),
    })
  }
}

/** `count` records with keys from `keys`, turn about. */
export function records(count: number, keys = 'abc'): FakeRecord[] {
  return Array.from({ length: count }, (_, at) => ({ key: keys[at % keys.length]!, value: `${at}` }))
}

function text(value: string | Uint8Array<ArrayBuffer> | null): Uint8Array<ArrayBuffer> | null {
  return typeof value === 'string' ? new TextEncoder().encode(value) : value
}
