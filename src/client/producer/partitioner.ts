// Which partition a record goes to (Kafka: BuiltInPartitioner, RoundRobinPartitioner).
// With a key: the murmur2 hash of its bytes, so that every client in any language agrees.
// Without one: strictly uniform sticky (KIP-794): all records to one partition until about
// a batch has gone there, then to another by chance, so that batches fill. Where leaders are
// not equally quick, chance favours those that fewer batches wait for, unless told not to.
// Bytes are counted a batch at a time, so a record costs nothing.
//
// Runs on the producer's thread, once a record; one object a producer and topic.
// Holds: a key's partition depends on its bytes and the number of partitions alone;
// choosing changes nothing, so a record that was refused may be offered again.

import { show } from '../../config-def.ts'
import { MillraceError } from '../../errors.ts'
import type { Random } from '../../random.ts'
import { murmur2, partitionOfHash } from '../../record/murmur2.ts'
import { murmur2OfText } from '../../record/text-key.ts'

/** A partitioner of one's own: a whole number from 0 to `partitionCount` - 1. The bytes are valid only during the call. */
export type PartitionFunction = (keyBytes: Uint8Array | null, partitionCount: number, topicName: string) => number

/** How the partitions of a topic get on (Kafka: PartitionLoadStats). */
export interface PartitionLoads {
  /** Batches that wait for the partition's leader, or for its answer. */
  queueLength(partition: number): number
  /** False: its leader has taken nothing for as long as `partitionerAvailabilityTimeoutMs` says. */
  isAvailable(partition: number): boolean
}

export interface PartitionerOptions {
  readonly topicName: string
  readonly partitionCount: number
  /** Bytes after which the partition of records without a key changes: the producer's batchSize. */
  readonly stickyBytes: number
  readonly partitioner: 'default' | 'roundRobin' | PartitionFunction
  /** Undefined: all partitions are equally likely, however long their queues are. */
  readonly loads: PartitionLoads | undefined
  /** The default partitioner treats all records as if they had no key. */
  readonly ignoreKeys: boolean
  /** The topic is compacted: a record without a key is refused. */
  readonly requiresKeys: boolean
  readonly random: Random
}

/** With many partitions their queues are looked at once in so many batches a partition, for that takes time. */
const MOVES_A_WEIGHING = 8

export class Partitioner {
  readonly #topicName: string
  readonly #stickyBytes: number
  readonly #function: PartitionFunction | undefined
  readonly #isRoundRobin: boolean
  readonly #loads: PartitionLoads | undefined
  readonly #ignoreKeys: boolean
  #requiresKeys: boolean
  readonly #random: Random
  #partitionCount: number
  #sticky: number
  /** Bytes of batches that went to the sticky partition during this stay. */
  #stickyBytesSent = 0
  /** Where the next record goes, under round robin. */
  #turn = 0
  /** By partition: the weights of it and of all before it, as they were some moves ago. */
  #weightsUpTo = new Uint32Array(0)
  #areWeightsEqual = true
  #movesUntilWeighed = 0

  constructor(options: PartitionerOptions) {
    this.#topicName = options.topicName
    this.#stickyBytes = Math.max(1, options.stickyBytes)
    this.#function = typeof options.partitioner === 'function' ? options.partitioner : undefined
    this.#isRoundRobin = options.partitioner === 'roundRobin'
    this.#loads = options.loads
    this.#ignoreKeys = options.ignoreKeys
    this.#requiresKeys = options.requiresKeys
    this.#random = options.random
    this.#partitionCount = options.partitionCount
    this.#sticky = options.random.below(options.partitionCount)
  }

  get partitionCount(): number {
    return this.#partitionCount
  }

  /** The topic has grown: keys spread anew, as in Kafka, and the next move may lead to a new partition. */
  set partitionCount(partitionCount: number) {
    this.#partitionCount = partitionCount
    this.#movesUntilWeighed = 0
  }

  /** The topic is compacted from now on, or no longer. */
  set requiresKeys(requiresKeys: boolean) {
    this.#requiresKeys = requiresKeys
  }

  /**
   * The partition for a key as it was serialised. Changes nothing, but for whose turn it is. Throws INVALID_RECORD for no key
   * where there must be one.
   */
  partitionFor(key: Uint8Array | string | null): number {
    if (this.#function !== undefined) return this.#ask(this.#function, key)
    if (this.#isRoundRobin) return this.#takeTurn(key)
    if (key === null || this.#ignoreKeys) return this.#stickyFor(key)
    return partitionOfKey(key, this.#partitionCount)
  }

  /** Whether a key's partition follows from its hash alone. */
  get takesHashes(): boolean {
    return this.#function === undefined && !this.#isRoundRobin && !this.#ignoreKeys
  }

  /** The partition for a key of this hash, where `takesHashes`. */
  partitionForHash(hash: number): number {
    return partitionOfHash(hash, this.#partitionCount)
  }

  /** Throws INVALID_RECORD for no key where there must be one. */
  checkKey(key: Uint8Array | string | null): void {
    if (key !== null || !this.#requiresKeys) return
    const message = `topic ${this.#topicName} is compacted, to the last record of each key: give every record a key`
    throw new MillraceError('INVALID_RECORD', message, { retriable: false })
  }

  /** Whether a key like this leaves the partition to the stay on one after the other. */
  isSticky(key: Uint8Array | string | null): boolean {
    return this.#function === undefined && !this.#isRoundRobin && (key === null || this.#ignoreKeys)
  }

  /** The record for which this partition was chosen last was not taken: it is still that partition's turn. */
  notTaken(partition: number): void {
    if (this.#isRoundRobin) this.#turn = partition
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

  /** Any partition but this one, all equally likely, so that in the long run each gets the same share of bytes; or by their weights. */
  #moveOn(): void {
    this.#stickyBytesSent = 0
    if (this.#partitionCount < 2) return
    if (this.#loads !== undefined) {
      if (this.#movesUntilWeighed-- <= 0) this.#weigh(this.#loads)
      if (!this.#areWeightsEqual) {
        this.#sticky = this.#pickByWeight()
        return
      }
    }
    const other = this.#random.below(this.#partitionCount - 1)
    this.#sticky = other < this.#sticky ? other : other + 1
  }

  #stickyFor(key: Uint8Array | string | null): number {
    this.checkKey(key)
    return this.#sticky
  }

  /** Kafka's weights: the longest queue's length and one more, less its own; 0 for a partition that is not available. */
  #weigh(loads: PartitionLoads): void {
    const count = this.#partitionCount
    this.#movesUntilWeighed = Math.ceil(count / MOVES_A_WEIGHING)
    if (this.#weightsUpTo.length !== count) this.#weightsUpTo = new Uint32Array(count)
    const weights = this.#weightsUpTo
    let longest = 0
    let shortest = Number.POSITIVE_INFINITY
    let available = 0
    for (let partition = 0; partition < count; partition++) {
      const isAvailable = loads.isAvailable(partition)
      // Told from a length by the 1 that is added to one.
      weights[partition] = isAvailable ? loads.queueLength(partition) + 1 : 0
      if (!isAvailable) continue
      available++
      longest = Math.max(longest, weights[partition]!)
      shortest = Math.min(shortest, weights[partition]!)
    }
    // If none is available, chance is as good as anything.
    this.#areWeightsEqual = available === 0 || (available === count && longest === shortest)
    let sum = 0
    for (let partition = 0; partition < count; partition++) {
      if (weights[partition]! > 0) sum += longest + 1 - weights[partition]!
      weights[partition] = sum
    }
  }

  #pickByWeight(): number {
    const weights = this.#weightsUpTo
    const picked = this.#random.below(weights[weights.length - 1]!)
    let low = 0
    let high = weights.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (weights[middle]! > picked) high = middle
      else low = middle + 1
    }
    return low
  }

  #takeTurn(key: Uint8Array | string | null): number {
    this.checkKey(key)
    const partition = this.#turn % this.#partitionCount
    this.#turn = partition + 1
    return partition
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
