// A source of records without a millrace: says what is settled, and has partitions that can go.
// Its records are tracked as those of fromTopic are.

import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { INSPECT } from '../../../src/client/consumer/consumer-record.ts'
import { RecordHeaders } from '../../../src/client/headers.ts'
import type { ChainSource } from '../../../src/rx/chain.ts'
import { noteSource } from '../../../src/rx/chain.ts'
import type { RecordFields } from '../../../src/rx/changed-record.ts'
import { Origin, makeCurrent, restoreCurrent } from '../../../src/rx/hold.ts'
import { MillraceRecord } from '../../../src/rx/millrace-record.ts'
import { SettlingPartition } from '../../../src/rx/settling-partition.ts'

export interface RecordParts<K, V> {
  readonly key?: K
  readonly value: V
  readonly timestamp?: number
  readonly partition?: number
  readonly offset?: number
}

export class HeldSource<V, K = string | null> {
  readonly records: Observable<MillraceRecord<K, V>>
  /** What the source was told of room: how many are held. */
  readonly room = { records: 0, bytes: 0, onFree: (): void => undefined }
  isAbandoned = false
  readonly topic: string
  /** What was written to dead-letter topics. */
  readonly letters = new FakeOffice()
  readonly #maxInFlight: number
  readonly #caughtUp = new Set<() => void>()
  readonly #partitions: SettlingPartition[]
  readonly #nextOffsets: number[]
  readonly #lagging = new Set<number>()
  #subscriber: Subscriber<MillraceRecord<K, V>> | undefined

  constructor({
    partitions = 1,
    maxInFlight = 1_000,
    topic = 'clicks',
  }: { partitions?: number; maxInFlight?: number; topic?: string } = {}) {
    this.topic = topic
    this.#maxInFlight = maxInFlight
    this.#nextOffsets = Array.from({ length: partitions }, () => 0)
    this.#partitions = this.#nextOffsets.map((_, partition) => this.#open(partition))
    this.records = new Observable((subscriber) => {
      noteSource(this.#asSource())
      this.#subscriber = subscriber
    })
  }

  /** Emits a record as fromTopic does. */
  emit(value: V, { key = null as K, timestamp = 0, partition: number = 0, offset }: Partial<RecordParts<K, V>> = {}): void {
    const at = offset ?? this.#nextOffsets[number]!
    this.#nextOffsets[number] = at + 1
    const partition = this.#partitions[number]!
    const origin = new Origin(partition, at, { bytes: 1, held: 0 })
    partition.begin(at)
    const before = makeCurrent(origin)
    try {
      this.#subscriber!.next(new MillraceRecord(fieldsOf(this.topic, { key, value, timestamp, partition: number, offset: at }), origin))
    } finally {
      restoreCurrent(before)
    }
    if (this.#subscriber!.closed) return
    origin.passed()
    partition.end(at + 1)
  }

  complete(): void {
    this.#subscriber!.complete()
  }

  fail(error: Error): void {
    this.#subscriber!.error(error)
  }

  /** The offset that may be committed. */
  position(partition = 0): number | undefined {
    return this.#partitions[partition]!.position
  }

  get isSubscribed(): boolean {
    return this.#subscriber?.closed === false
  }

  /** The partition goes to another member; what comes of it later is read anew. */
  revoke(partition = 0): void {
    this.#partitions[partition]!.gone()
    this.#partitions[partition] = this.#open(partition)
  }

  /** Whether there is more to read of it than was emitted. */
  lag(partition: number, isLagging: boolean): void {
    if (isLagging) this.#lagging.add(partition)
    else this.#lagging.delete(partition)
    if (!isLagging) for (const listener of this.#caughtUp) listener()
  }

  #open(partition: number): SettlingPartition {
    return new SettlingPartition({
      topic: this.topic,
      partition,
      committedMetadata: '',
      room: this.room,
      onSettled: () => undefined,
      isRead: () => !this.#lagging.has(partition),
    })
  }

  #asSource(): ChainSource {
    return {
      options: { lossless: true, maxInFlight: this.#maxInFlight },
      owner: this.letters.office,
      topics: [],
      groupId: 'held',
      partitions: () => this.#partitions,
      onCaughtUp: (listener: () => void) => {
        this.#caughtUp.add(listener)
        return () => this.#caughtUp.delete(listener)
      },
      abandon: () => {
        this.isAbandoned = true
      },
    } as unknown as ChainSource
  }
}

/** Takes dead letters, and acknowledges them when it is told to. */
export class FakeOffice {
  readonly written: { topic: string; headers: Record<string, string> }[] = []
  /** Undefined: at once. */
  gate: Promise<void> | undefined
  isClosed = false
  readonly office = {
    topic: (name: string): Promise<unknown> => Promise.resolve({ name }),
    producer: () => ({
      send: async ({ name }: { name: string }, { headers }: { headers: [string, string][] }): Promise<void> => {
        await this.gate
        this.written.push({ topic: name, headers: Object.fromEntries(headers) })
      },
      close: async (): Promise<void> => {
        this.isClosed = true
      },
    }),
  }
}

/** A record that no source tracks, for marbles. */
export function plainRecord<V, K = string | null>(parts: RecordParts<K, V>): MillraceRecord<K, V> {
  return new MillraceRecord(fieldsOf('clicks', parts), undefined)
}

function fieldsOf<K, V>(
  topic: string,
  { key = null as K, value, timestamp = 0, partition = 0, offset = 0 }: RecordParts<K, V>,
): RecordFields<K, V> {
  const toJSON = (): object => ({ topic, partition, offset, timestamp, key, value })
  // Without bytes, for whoever asks for them.
  const raw = { keyStart: -1, valueStart: -1 }
  return { topic, partition, offset, timestamp, key, value, headers: new RecordHeaders([]), toJSON, [INSPECT]: toJSON, ...raw }
}
