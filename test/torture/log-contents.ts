// What a history says of one log, by the rank of the offset: what was read there, who was
// told that his record is there, and by which kind of reader it was seen.

import type { Anomalies } from './anomalies.ts'
import { OffsetIndex } from './offset-index.ts'

export const SEEN_LIVE = 1
export const SEEN_DRAIN = 2

export class LogContents {
  readonly log: number
  readonly index: OffsetIndex
  readonly producer: Int32Array
  readonly number: Int32Array
  readonly hash: Uint32Array
  readonly epoch: Int32Array
  readonly seen: Uint8Array
  readonly ackedProducer: Int32Array
  readonly ackedNumber: Int32Array
  /** Of the drain: its first offset and its end, -1 before they are known. */
  drainStart = -1
  drainEnd = -1
  /** Highest offset that anybody has read. */
  highestRead = -1

  constructor(log: number, offsets: Float64Array) {
    this.log = log
    this.index = new OffsetIndex(offsets)
    const { size } = this.index
    this.producer = new Int32Array(size).fill(-1)
    this.number = new Int32Array(size)
    this.hash = new Uint32Array(size)
    this.epoch = new Int32Array(size).fill(-1)
    this.seen = new Uint8Array(size)
    this.ackedProducer = new Int32Array(size).fill(-1)
    this.ackedNumber = new Int32Array(size)
  }

  acked(offset: number, producer: number, number: number, anomalies: Anomalies): void {
    const rank = this.index.rank(offset)
    const other = this.ackedProducer[rank]!
    if (other >= 0) {
      const what = `${this.log}@${offset} is the acknowledged place of ${other}/${this.ackedNumber[rank]} and of ${producer}/${number}`
      anomalies.add('inconsistent', () => what)
      return
    }
    this.ackedProducer[rank] = producer
    this.ackedNumber[rank] = number
  }

  read(offset: number, producer: number, number: number, hash: number, epoch: number, seen: number, anomalies: Anomalies): void {
    const rank = this.index.rank(offset)
    if (offset > this.highestRead) this.highestRead = offset
    if (this.seen[rank] === 0) {
      this.producer[rank] = producer
      this.number[rank] = number
      this.hash[rank] = hash
      this.epoch[rank] = epoch
    } else if (this.producer[rank] !== producer || this.number[rank] !== number || this.hash[rank] !== hash) {
      const before = `${this.producer[rank]}/${this.number[rank]} (${this.hash[rank]!.toString(16)})`
      anomalies.add('inconsistent', () => `${this.log}@${offset} was ${before}, and is ${producer}/${number} (${hash.toString(16)})`)
    } else if (epoch >= 0 && this.epoch[rank]! >= 0 && this.epoch[rank] !== epoch) {
      const before = this.epoch[rank]
      anomalies.add('inconsistent', () => `${this.log}@${offset} was of leader epoch ${before}, and is of ${epoch}`)
    }
    this.seen[rank]! |= seen
  }

  /** Whether anybody has read a record there; the history names the offset. */
  isRead(offset: number): boolean {
    return this.seen[this.index.rank(offset)] !== 0
  }

  /** Whether every record at or above the offset is bound to be in the drain. */
  isKept(offset: number): boolean {
    return offset >= this.drainStart
  }
}
