// Placeholder until the record folder is complete.
import { MillraceError } from '../errors.ts'
import { BATCH_HEADER_BYTES } from './record-batch-layout.ts'
import { baseOffset, baseTimestamp, batchSizeInBytes, isControlBatch, recordCount } from './record-batch.ts'

export class RecordCursor {
  bytes: Uint8Array = new Uint8Array(0)
  offset = 0
  timestamp = 0
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  headersStart = 0
  headersEnd = 0
  headerCount = 0
  batchStart = 0
  #at = 0
  #end = 0
  #left = 0
  #base = 0
  #baseTs = 0
  #from = 0
  #batchEnd = 0

  reset(bytes: Uint8Array, start: number, end: number, fromOffset: number): void {
    this.bytes = bytes
    this.#at = start
    this.#batchEnd = start
    this.#end = end
    this.#left = 0
    this.#from = fromOffset
  }

  #varint(): number {
    let shift = 0
    let value = 0
    for (;;) {
      const byte = this.bytes[this.#at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) break
      shift += 7
      if (shift > 28) throw new MillraceError('CORRUPT_MESSAGE', 'varint')
    }
    return (value >>> 1) ^ -(value & 1)
  }

  next(): boolean {
    for (;;) {
      while (this.#left === 0) {
        if (this.#batchEnd >= this.#end) return false
        const start = this.#batchEnd
        this.batchStart = start
        this.#batchEnd = start + batchSizeInBytes(this.bytes, start)
        this.#base = baseOffset(this.bytes, start)
        this.#baseTs = baseTimestamp(this.bytes, start)
        this.#left = isControlBatch(this.bytes, start) ? 0 : recordCount(this.bytes, start)
        this.#at = start + BATCH_HEADER_BYTES
      }
      this.#left--
      const length = this.#varint()
      const recordEnd = this.#at + length
      this.#at++
      this.timestamp = this.#baseTs + this.#varint()
      this.offset = this.#base + this.#varint()
      const key = this.#varint()
      this.keyStart = key < 0 ? -1 : this.#at
      this.keyEnd = key < 0 ? -1 : this.#at + key
      if (key > 0) this.#at += key
      const value = this.#varint()
      this.valueStart = value < 0 ? -1 : this.#at
      this.valueEnd = value < 0 ? -1 : this.#at + value
      if (value > 0) this.#at += value
      this.headerCount = this.#varint()
      this.headersStart = this.#at
      this.headersEnd = recordEnd
      this.#at = recordEnd
      if (this.offset >= this.#from) return true
    }
  }
}
