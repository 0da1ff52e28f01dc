// How a reader of the road walks a batch. Every way counts each record and adds the first and
// last byte of its value; offering.ts says what the sum must be.
//
//   cursor  positions in the batch, nothing allocated
//   record  record objects
//   view    a view of each value: what the heap profiler of C4 must find
//   event   record objects whose value is an object, as events.ts says
//   keyed   positions in the batch; adds the last character of the key and the number of headers

import type { ConsumerBatch } from '../../src/index.ts'
import { sumOf } from '../serde/events.ts'
import type { Event } from '../serde/events.ts'

export type Reading = 'cursor' | 'record' | 'view' | 'keyed' | 'event'

export interface Tally {
  records: number
  checksum: number
}

/** Adds what is in a batch to the tally. */
export type Walk = (batch: ConsumerBatch, tally: Tally) => void

function walkCursor(batch: ConsumerBatch, tally: Tally): void {
  const cursor = batch.cursor()
  let sum = 0
  let count = 0
  while (cursor.next()) {
    sum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
    count++
  }
  tally.records += count
  tally.checksum += sum
}

function walkViews(batch: ConsumerBatch, tally: Tally): void {
  const cursor = batch.cursor()
  let sum = 0
  let count = 0
  while (cursor.next()) {
    const value = cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)
    sum += value[0]! + value[value.length - 1]!
    count++
  }
  tally.records += count
  tally.checksum += sum
}

function walkKeyed(batch: ConsumerBatch, tally: Tally): void {
  const cursor = batch.cursor()
  let sum = 0
  let count = 0
  while (cursor.next()) {
    const { bytes } = cursor
    sum += bytes[cursor.valueStart]! + bytes[cursor.valueEnd - 1]! + bytes[cursor.keyEnd - 1]! + cursor.headerCount
    count++
  }
  tally.records += count
  tally.checksum += sum
}

function walkRecords(batch: ConsumerBatch, tally: Tally): void {
  let sum = 0
  let count = 0
  for (const record of batch) {
    const value = record.value as Uint8Array
    sum += value[0]! + value[value.length - 1]!
    count++
  }
  tally.records += count
  tally.checksum += sum
}

function walkEvents(batch: ConsumerBatch, tally: Tally): void {
  let sum = 0
  let count = 0
  for (const record of batch) {
    sum += sumOf(record.value as Event)
    count++
  }
  tally.records += count
  tally.checksum += sum
}

export const WALKS: Readonly<Record<Reading, Walk>> = {
  cursor: walkCursor,
  record: walkRecords,
  view: walkViews,
  keyed: walkKeyed,
  event: walkEvents,
}
