// What producers of a fault test were told, and the proof that the log agrees. A record
// carries its producer's number and a sequence number of that producer, so that any
// record in the log can be held against what became of its send.

import { MillraceError } from '../../src/errors.ts'
import type { ErrorName } from '../../src/errors.ts'
import type { Millrace } from '../../src/client/millrace.ts'
import type { Producer } from '../../src/client/producer/producer.ts'
import { bytes } from '../../src/client/serde.ts'
import type { TopicConfigOptions } from '../../src/config/topic-config.ts'
import type { Topic } from '../../src/client/topic-definition.ts'
import type { Consumer } from '../../src/client/consumer/consumer.ts'

export type BytesTopic = Topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>

/** Makes the topic that ledgers write to, or binds it. */
export function bytesTopic(
  millrace: Millrace,
  name: string,
  options: { partitions?: number; config?: TopicConfigOptions } = {},
): Promise<BytesTopic> {
  return millrace.topic<string | null, Uint8Array<ArrayBuffer>, string | null, Uint8Array>(name, { value: bytes(), ...options })
}

/** A failure that leaves open whether the record is in the log. */
const IN_DOUBT: ReadonlySet<ErrorName> = new Set<ErrorName>(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT', 'CLOSED'])

const HEADER_BYTES = 12
const LEADER_EPOCH_AT = 12

interface Sent {
  readonly partition: number
  /** undefined: no answer yet; a number: the offset; an error: why not. */
  outcome: number | MillraceError | undefined
}

/** What the log of one partition holds, in order. */
export interface ReadPartition {
  /** Offset of the first record: above 0 when retention took some. */
  startOffset: number
  readonly sequences: { producer: number; sequence: number }[]
  readonly leaderEpochs: number[]
}

export class SentLedger {
  /** By producer, then by sequence number. */
  readonly #sent: Sent[][] = []

  /** Sends one record to the partition; resolves, never rejects, when its outcome is known. */
  send(producer: Producer, topic: BytesTopic, partition: number, sizeInBytes = 100, producerNumber = 0): Promise<number | MillraceError> {
    const own = (this.#sent[producerNumber] ??= [])
    const sent: Sent = { partition, outcome: undefined }
    const sequence = own.push(sent) - 1
    const settle = (outcome: number | MillraceError): number | MillraceError => {
      sent.outcome = outcome
      return outcome
    }
    return producer.send(topic, { value: encode(producerNumber, sequence, partition, sizeInBytes), partition }).then(
      ({ offset }) => settle(offset),
      (error: unknown) => {
        if (!(error instanceof MillraceError)) throw error
        return settle(error)
      },
    )
  }

  /** Sends records until one is acknowledged: its offset. The first ones may meet a broker that is dead already. */
  async sendUntilAcked(producer: Producer, topic: BytesTopic, partition: number, sizeInBytes = 100): Promise<number> {
    for (;;) {
      const outcome = await this.send(producer, topic, partition, sizeInBytes)
      if (typeof outcome === 'number') return outcome
      if (!outcome.retriable) throw outcome
    }
  }

  get count(): number {
    return this.#sent.reduce((sum, own) => sum + own.length, 0)
  }

  get acked(): number {
    return this.#all().filter(({ outcome }) => typeof outcome === 'number').length
  }

  /** By partition: the highest offset that was acknowledged. */
  highestAcked(): Map<number, number> {
    const highest = new Map<number, number>()
    for (const { partition, outcome } of this.#all()) {
      if (typeof outcome === 'number') highest.set(partition, Math.max(highest.get(partition) ?? 0, outcome))
    }
    return highest
  }

  get failures(): MillraceError[] {
    return this.#all().flatMap(({ outcome }) => (outcome instanceof MillraceError ? [outcome] : []))
  }

  get pending(): number {
    return this.#all().filter(({ outcome }) => outcome === undefined).length
  }

  /**
   * Reads the topic to its end and checks: offsets without a gap; every acknowledged record that
   * retention has left at its offset, once; of the others only those in doubt; each producer's records in the order
   * of its sends; leader epochs that only go up.
   */
  async verify(millrace: Millrace, topic: BytesTopic): Promise<ReadPartition[]> {
    const partitions = await readAll(millrace.consumer(), topic)
    if (this.pending > 0) throw new Error(`${this.pending} sends have no outcome`)
    for (const [partition, read] of partitions.entries()) this.#verifyPartition(partition, read)
    for (const own of this.#sent) {
      for (const [sequence, { partition, outcome }] of own.entries()) {
        if (typeof outcome !== 'number') continue
        const { startOffset, sequences } = partitions[partition]!
        if (outcome < startOffset) continue
        if (sequences[outcome - startOffset]?.sequence !== sequence)
          throw new Error(`acknowledged record ${sequence} is not at ${topic.name}-${partition}@${outcome}`)
      }
    }
    return partitions
  }

  #verifyPartition(partition: number, { startOffset, sequences }: ReadPartition): void {
    const last = new Map<number, number>()
    for (const [at, { producer, sequence }] of sequences.entries()) {
      const offset = startOffset + at
      const sent = this.#sent[producer]?.[sequence]
      const where = `record ${sequence} of producer ${producer} at ${partition}@${offset}`
      if (sent === undefined || sent.partition !== partition) throw new Error(`${where} was never sent there`)
      if (sequence <= (last.get(producer) ?? -1)) throw new Error(`${where} comes after record ${last.get(producer)}: doubled or reordered`)
      last.set(producer, sequence)
      if (typeof sent.outcome === 'number' ? sent.outcome !== offset : !IN_DOUBT.has(sent.outcome!.code)) {
        throw new Error(`${where} was answered with ${String(sent.outcome)}`)
      }
    }
  }

  #all(): Sent[] {
    return this.#sent.flat()
  }
}

/** Every record of the topic as a consumer sees it; refuses gaps and epochs that go back. */
export async function readAll(consumer: Consumer, topic: BytesTopic): Promise<ReadPartition[]> {
  const partitions = Array.from({ length: topic.partitions }, (): ReadPartition => ({ startOffset: -1, sequences: [], leaderEpochs: [] }))
  for await (const batch of consumer.batches(topic, { until: 'end' })) {
    const read = partitions[batch.partition]!
    const cursor = batch.cursor()
    while (cursor.next()) {
      if (read.startOffset < 0) read.startOffset = cursor.offset
      const expected = read.startOffset + read.sequences.length
      if (cursor.offset !== expected) throw new Error(`${topic.name}-${batch.partition} goes on at ${cursor.offset} instead of ${expected}`)
      const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset)
      const leaderEpoch = view.getInt32(cursor.batchStart + LEADER_EPOCH_AT)
      if (leaderEpoch < (read.leaderEpochs.at(-1) ?? 0)) throw new Error(`leader epoch ${leaderEpoch} at offset ${cursor.offset} goes back`)
      read.sequences.push(decode(cursor.bytes, cursor.valueStart, cursor.valueEnd))
      read.leaderEpochs.push(leaderEpoch)
    }
  }
  await consumer.close()
  return partitions
}

export function encode(producer: number, sequence: number, partition: number, sizeInBytes: number): Uint8Array {
  const value = new Uint8Array(Math.max(HEADER_BYTES, sizeInBytes))
  const view = new DataView(value.buffer)
  view.setUint32(0, producer)
  view.setUint32(4, sequence)
  view.setUint32(8, partition)
  value.fill(pattern(producer, sequence), HEADER_BYTES)
  return value
}

/** Throws when a byte of the value is not what was sent. */
export function decode(bytes: Uint8Array, start: number, end: number): { producer: number; sequence: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const producer = view.getUint32(0)
  const sequence = view.getUint32(4)
  const byte = pattern(producer, sequence)
  for (let at = start + HEADER_BYTES; at < end; at++)
    if (bytes[at] !== byte) throw new Error(`record ${sequence} is torn at byte ${at - start}`)
  return { producer, sequence }
}

function pattern(producer: number, sequence: number): number {
  return (producer * 31 + sequence * 7 + 1) & 0xff
}
