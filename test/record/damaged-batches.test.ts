// Damaged batches by the hundred thousand: what src/record makes of them is what the plain
// reader makes of them, a typed refusal or exactly the records, and never depends on a
// byte outside the batch. Each case can be run alone: seed and number make it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { MillraceError, kafkaErrorName } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import { readControlRecord } from '../../src/record/control-record.ts'
import { checkBatchHeader } from '../../src/record/record-batch.ts'
import { RecordCursor } from '../../src/record/record-cursor.ts'
import { readHeaders } from '../../src/record/record.ts'
import { validateBatch } from '../../src/record/validate-batch.ts'
import { MUTATION_NAMES, damagedBatches, stretchedRecord, wholeBatches } from './batch-mutator.ts'
import { FencedMemory } from './fenced-memory.ts'
import { toHex } from './golden-batches.ts'
import { faultOf, hasPlainCrc, plainFault, plainHeaders, plainLaneFault, plainWalk } from './plain-batch.ts'
import type { Bytes, PlainWalk } from './plain-batch.ts'

const SEED = 0xda3a6ed
const CASES = 100_000
const FENCED_CASES = 4_000
const PLACE_BYTES = 4_096
const REFUSALS = ['CORRUPT_MESSAGE', 'UNSUPPORTED_COMPRESSION_TYPE']

/** What a reader gave, in one row. */
type Outcome = (string | number)[]

/** Memory full of one byte, in whose middle a case is put: what is read outside shows as a difference. */
interface Place {
  readonly bytes: Bytes
  readonly sentinel: number
}

const places: readonly Place[] = [0x00, 0xff, 0x02, 0x81].map((sentinel) => ({
  bytes: new Uint8Array(PLACE_BYTES).fill(sentinel),
  sentinel,
}))
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const cursors = { users: new RecordCursor(), all: new RecordCursor(true) }
const { stackTraceLimit } = Error
/** What the cases were: they are of use only if they are of all kinds. */
const seen = { records: 0, withHeaders: 0, passed: 0, 'passed but for the CRC': 0, CORRUPT_MESSAGE: 0, UNSUPPORTED_COMPRESSION_TYPE: 0 }

beforeAll(() => {
  // A hundred thousand errors that nobody reads.
  Error.stackTraceLimit = 0
})

afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit
})

function codeOf(error: unknown): string {
  if (error instanceof MillraceError && REFUSALS.includes(error.code)) return error.code
  throw error
}

function refusalOf(run: () => unknown): string {
  try {
    run()
    return 'passed'
  } catch (error) {
    return codeOf(error)
  }
}

function pushHeaders(row: Outcome, headers: readonly { key: string; value: Uint8Array | null }[]): void {
  for (const { key, value } of headers) row.push(key, value === null ? 'null' : toHex(value))
}

/** All that a cursor gives, positions from `start` on, and how it ends. */
function walked(cursor: RecordCursor, bytes: Bytes, start: number, end: number, fromOffset: number): Outcome {
  const row: Outcome = []
  let isOver = true
  const relative = (position: number): number => (position < 0 ? position : position - start)
  cursor.reset(bytes, start, end, fromOffset)
  const refused = refusalOf(() => {
    while (cursor.next()) {
      row.push(cursor.offset, cursor.timestamp, cursor.headerCount, relative(cursor.batchStart))
      row.push(relative(cursor.keyStart), relative(cursor.keyEnd), relative(cursor.valueStart), relative(cursor.valueEnd))
      row.push(relative(cursor.headersStart), relative(cursor.headersEnd))
      if (cursor.headerCount === 0) continue
      row.push(refusalOf(() => pushHeaders(row, readHeaders(bytes, cursor.headersStart, cursor.headersEnd, cursor.headerCount))))
    }
  })
  // What was refused stays refused, and what has ended, ended.
  row.push(
    refused,
    refusalOf(() => (isOver = !cursor.next())),
  )
  if (!isOver) row.push('goes on')
  return row
}

/** What a cursor should give. */
function plainlyWalked(bytes: Bytes, { records, fault }: PlainWalk): Outcome {
  const row: Outcome = []
  for (const record of records) {
    row.push(record.offset, record.timestamp, record.headerCount, record.batchStart)
    row.push(record.keyStart, record.keyEnd, record.valueStart, record.valueEnd, record.headersStart, record.headersEnd)
    if (record.headerCount === 0) continue
    const headersFault = faultOf(() => {
      const headers = plainHeaders(bytes, record)
      pushHeaders(
        row,
        headers.map(({ key, value }) => ({ key: decoder.decode(key), value })),
      )
    })
    row.push(headersFault ?? 'passed')
  }
  row.push(fault ?? 'passed', fault ?? 'passed')
  return row
}

/** Everything that src/record says of bytes[start, end). */
function said(bytes: Bytes, start: number, end: number, fromOffset: number): Outcome {
  const control: Outcome = []
  const controlRefusal = refusalOf(() => control.push(JSON.stringify(readControlRecord(bytes, start, end))))
  return [
    refusalOf(() => validateBatch(bytes, start, end, { crc: false })),
    refusalOf(() => validateBatch(bytes, start, end, { crc: true })),
    kafkaErrorName(checkBatchHeader(bytes, start, end)),
    ...walked(cursors.users, bytes, start, end, fromOffset),
    ...walked(cursors.all, bytes, start, end, 0),
    // There is nothing to compare this with, but it is the same wherever the batch lies.
    controlRefusal,
    ...control,
  ]
}

function plainlySaid(bytes: Bytes, fromOffset: number): Outcome {
  const fault = plainFault(bytes) ?? 'passed'
  const faultWithCrc = hasPlainCrc(bytes) ? fault : 'CORRUPT_MESSAGE'
  const all = plainWalk(bytes, 0, true)
  seen.records += all.records.length
  seen.withHeaders += all.records.filter(({ headerCount }) => headerCount > 0).length
  seen[fault === 'passed' && faultWithCrc !== 'passed' ? 'passed but for the CRC' : fault]++
  return [
    fault,
    faultWithCrc,
    plainLaneFault(bytes) ?? 'NONE',
    ...plainlyWalked(bytes, plainWalk(bytes, fromOffset)),
    ...plainlyWalked(bytes, all),
  ]
}

/** The same bytes in the middle of others. */
function saidInPlace({ bytes, sentinel }: Place, batches: Bytes, start: number, fromOffset: number): Outcome {
  const end = start + batches.length
  bytes.set(batches, start)
  const outcome = said(bytes, start, end, fromOffset)
  // Nothing that was read was written to.
  if (!Buffer.from(bytes.buffer, start, batches.length).equals(batches)) outcome.push('written to')
  bytes.fill(sentinel, start, end)
  return outcome
}

function isPrefix(short: Outcome, long: Outcome): boolean {
  return short.every((value, i) => Object.is(value, long[i]))
}

test('no byte outside is looked at, even one that would not matter', () => {
  const whole = wholeBatches(seededRandom(SEED))
  const memory = new FencedMemory(PLACE_BYTES)
  let walks = 0
  for (let number = 0; number < FENCED_CASES; number++) {
    const random = seededRandom(SEED + number)
    const damaged = number % 2 === 0 ? stretchedRecord(random) : damagedBatches(random, whole, new Set())
    const batches = whole[number] ?? damaged
    const outside = memory.readOutside(batches, 1_000, (bytes, end) => {
      for (const cursor of [cursors.users, cursors.all]) {
        cursor.reset(bytes, 1_000, end, 0)
        refusalOf(() => {
          while (cursor.next()) walks++
        })
      }
      for (const crc of [false, true]) refusalOf(() => validateBatch(bytes, 1_000, end, { crc }))
      checkBatchHeader(bytes, 1_000, end)
      refusalOf(() => readControlRecord(bytes, 1_000, end))
    })
    if (outside.length > 0) expect(outside, `case ${number} of seed ${SEED}: ${toHex(batches)}`).toEqual([])
  }
  expect(walks).toBeGreaterThan(FENCED_CASES)
})

test(`${CASES} damaged batches from seed ${SEED}`, () => {
  const whole = wholeBatches(seededRandom(SEED))
  const applied = new Set<string>()
  for (let number = 0; number < CASES; number++) {
    const random = seededRandom(SEED + number)
    const batches = damagedBatches(random, whole, applied)
    const fromOffset = random.below(8) === 0 ? random.below(12) : 0
    const expected = plainlySaid(batches, fromOffset)
    const exact = said(batches, 0, batches.length, fromOffset)
    const start = 1_000 + (number & 7)
    const others = [places[number & 1]!, places[2 + (number & 1)]!].map((place) => saidInPlace(place, batches, start, fromOffset))
    if (!isPrefix(expected, exact) || others.some((other) => other.length !== exact.length || !isPrefix(exact, other))) {
      const message = `case ${number} of seed ${SEED}, from offset ${fromOffset}: ${toHex(batches)}`
      expect(exact.slice(0, expected.length), message).toEqual(expected)
      for (const other of others) expect(other, message).toEqual(exact)
    }
  }
  expect([...applied].toSorted()).toEqual(MUTATION_NAMES.toSorted())
  const least = { records: 100_000, withHeaders: 10_000, passed: 1_000, 'passed but for the CRC': 5_000, CORRUPT_MESSAGE: 50_000 }
  for (const [kind, count] of Object.entries({ ...least, UNSUPPORTED_COMPRESSION_TYPE: 500 })) {
    expect(seen[kind as keyof typeof seen], kind).toBeGreaterThan(count)
  }
}, 120_000)
