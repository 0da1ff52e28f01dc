// The partition of `__consumer_offsets` under a simulated coordinator: it survives its
// leaders, loses what was not published when one dies, and may be compacted. Records are
// kept as bytes. The watermark follows the end after a while, and may stop inside a batch.

import { encodeGroupRecord } from '../../../src/coordinator/group/group-batch.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import type { ErrorName } from '../../../src/errors.ts'
import { decodeCoordinatorRecord } from '../../../src/protocol/coordinator-record.ts'
import { GROUP_RECORDS } from '../../../src/protocol/records/group-records.ts'

interface LoggedRecord {
  readonly offset: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

export class SimulatedLog {
  highWatermark = 0
  /** Why it takes nothing. */
  refusal: ErrorName | undefined
  /** Records were appended: they end at `endOffset`. */
  onAppended: (records: readonly GroupRecord[], endOffset: number) => void = () => undefined
  onRefused: (records: readonly GroupRecord[], why: ErrorName) => void = () => undefined
  #records: LoggedRecord[] = []
  #endOffset = 0
  /** Those that are not committed as a whole. */
  #batches: { readonly start: number; readonly end: number }[] = []
  /** All below was compacted. */
  #cleanedTo = 0

  get endOffset(): number {
    return this.#endOffset
  }

  get isCommitted(): boolean {
    return this.highWatermark >= this.#endOffset
  }

  append(records: readonly GroupRecord[]): number | ErrorName {
    if (this.refusal !== undefined) {
      this.onRefused(records, this.refusal)
      return this.refusal
    }
    const start = this.#endOffset
    for (const record of records) this.#records.push({ offset: this.#endOffset++, ...encodeGroupRecord(record) })
    this.#batches.push({ start, end: this.#endOffset })
    this.onAppended(records, this.#endOffset)
    return this.#endOffset
  }

  advanceTo(offset: number): void {
    this.highWatermark = Math.max(this.highWatermark, Math.min(offset, this.#endOffset))
    while (this.#batches.length > 0 && this.#batches[0]!.end <= this.highWatermark) this.#batches.shift()
  }

  /** The leader died: up to so many batches of which nothing is committed had not been published. How many records are lost. */
  truncate(unpublishedBatches: number): number {
    const before = this.#endOffset
    for (let i = 0; i < unpublishedBatches; i++) {
      const last = this.#batches.at(-1)
      if (last === undefined || last.start < this.highWatermark) break
      this.#batches.pop()
      this.#endOffset = last.start
    }
    while (this.#records.length > 0 && this.#records.at(-1)!.offset >= this.#endOffset) this.#records.pop()
    return before - this.#endOffset
  }

  /** Of each key below the offset only the last record stays, and of tombstones none. */
  compact(below: number): void {
    const last = new Map<string, number>()
    for (const { key, offset } of this.#records) if (offset < below) last.set(Buffer.from(key).toString('latin1'), offset)
    this.#records = this.#records.filter(({ key, value, offset }) => {
      if (offset >= below) return true
      return value !== null && last.get(Buffer.from(key).toString('latin1')) === offset
    })
    this.#cleanedTo = below
  }

  get cleanedTo(): number {
    return this.#cleanedTo
  }

  get size(): number {
    return this.#records.length
  }

  /** Those from one offset to another, read from their bytes. */
  *read(from: number, to: number): Generator<GroupRecord> {
    for (const { offset, key, value } of this.#records) {
      if (offset >= from && offset < to) yield decodeCoordinatorRecord(GROUP_RECORDS, key, value)
    }
  }
}
