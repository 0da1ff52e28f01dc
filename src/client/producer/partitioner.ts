// Which partition a record goes to (Kafka: BuiltInPartitioner). With a key: the
// murmur2 hash of its bytes, so that every client in any language agrees. Without
// one: strictly uniform sticky (KIP-794): all records to one partition until about a
// batch has gone there, then to another by chance, so that batches fill. Bytes are
// counted a batch at a time, so a record costs nothing.
//
// Runs on the producer's thread, once a record; one object a producer and topic.
// Holds: a key's partition depends on its bytes and the number of partitions alone;
// choosing changes nothing, so a record that was refused may be offered again.

import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { murmur2, murmur2OfText, partitionOfHash } from '../../record/murmur2.ts'

/** A partitioner of one's own: a whole number from 0 to `partitionCount` - 1. The bytes are valid only during the call. */
export type PartitionFunction = (keyBytes: Uint8Array | null, partitionCount: number, topicName: string) => number

export interface PartitionerOptions {
  readonly topicName: string
  readonly partitionCount: number
  /** Bytes after which the partition of records without a key changes: the producer's batchSize. */
  readonly stickyBytes: number
  readonly partitioner: 'default' | PartitionFunction
  /** The default partitioner treats all records as if they had no key. */
  readonly ignoreKeys: boolean
  /** The topic is compacted: a record without a key is refused. */
  readonly requiresKeys: boolean
  readonly random: Random
}

export class Partitioner {
  readonly #topicName: string
  readonly #stickyBytes: number
  readonly #function: PartitionFunction | undefined
  readonly #ignoreKeys: boolean
  readonly #requiresKeys: boolean
  readonly #random: Random
  #partitionCount: number
  #sticky: number
  /** Bytes of batches that went to the sticky partition during this stay. */
  #stickyBytesSent = 0

  constructor(options: PartitionerOptions) {
    this.#topicName = options.topicName
    this.#stickyBytes = Math.max(1, options.stickyBytes)
    this.#function = options.partitioner === 'default' ? undefined : options.partitioner
    this.#ignoreKeys = options.ignoreKeys
    this.#requiresKeys = options.requiresKeys
    this.#random = options.random
    this.#partitionCount = options.partitionCount
    this.#sticky = options.random.below(options.partitionCount)
  }

  get partitionCount(): number {
    return this.#partitionCount
  }

  /** The topic has grown: keys spread anew, as in Kafka. */
  set partitionCount(partitionCount: number) {
    this.#partitionCount = partitionCount
  }

  /** The partition for a key as it was serialised. Changes nothing. Throws INVALID_RECORD for no key where there must be one. */
  partitionFor(key: Uint8Array | string | null): number {
    if (this.#function !== undefined) return this.#ask(this.#function, key)
    if (key === null || this.#ignoreKeys) return this.#stickyFor(key)
    return partitionOfKey(key, this.#partitionCount)
  }

  /** Throws INVALID_RECORD for no key where there must be one. */
  checkKey(key: Uint8Array | string | null): void {
    if (key !== null || !this.#requiresKeys) return
    const message = `topic ${this.#topicName} is compacted, to the last record of each key: give every record a key`
    throw new MillraceError('INVALID_RECORD', message, { retriable: false })
  }

  /** Whether a key like this leaves the partition to the stay on one after the other. */
  isSticky(key: Uint8Array | string | null): boolean {
    return this.#function === undefined && (key === null || this.#ignoreKeys)
  }

  /**
   * A batch was closed, so large. The stay on its partition ends here, at a batch's
   * end and never within one, once a batch's worth of bytes went there. A full batch
   * is enough when at least half of `stickyBytes` went, since its last bytes stay
   * empty when the next record does not fit. Keyed records in it count as well: the
   * load of a partition is what is to be spread.
   */
  batchClosed(partition: number, sizeInBytes: number, isFull: boolean): void {
    if (partition !== this.#sticky) return
    this.#stickyBytesSent += sizeInBytes
    if (this.#stickyBytesSent >= (isFull ? this.#stickyBytes / 2 : this.#stickyBytes)) this.#moveOn()
  }

  /** Any partition but this one, all equally likely: in the long run each gets the same share of bytes. */
  #moveOn(): void {
    this.#stickyBytesSent = 0
    if (this.#partitionCount < 2) return
    const other = this.#random.below(this.#partitionCount - 1)
    this.#sticky = other < this.#sticky ? other : other + 1
  }

  #stickyFor(key: Uint8Array | string | null): number {
    this.checkKey(key)
    return this.#sticky
  }

  #ask(partitionFunction: PartitionFunction, key: Uint8Array | string | null): number {
    this.checkKey(key)
    const keyBytes = typeof key === 'string' ? new TextEncoder().encode(key) : key
    const partition: unknown = partitionFunction(keyBytes, this.#partitionCount, this.#topicName)
    if (Number.isInteger(partition) && (partition as number) >= 0 && (partition as number) < this.#partitionCount)
      return partition as number
    const range = `a whole number from 0 to ${this.#partitionCount - 1}`
    throw new MillraceError(
      'INVALID_REQUEST',
      `the partitioner must give ${range} for topic ${this.#topicName}; it gave ${show(partition)}`,
    )
  }
}

/** Kafka's rule: the positive murmur2 of the key's bytes, modulo the number of partitions. */
function partitionOfKey(key: Uint8Array | string, partitionCount: number): number {
  const hash = typeof key === 'string' ? murmur2OfText(key) : murmur2(key, 0, key.length)
  return partitionOfHash(hash, partitionCount)
}
