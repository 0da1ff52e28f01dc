// Batches that were whole, and what chance makes of them.

import type { Random } from '../../src/random.ts'
import { fromHex, goldenBatches, goldenControls } from './golden-batches.ts'
import { plainBatch, plainCrc32c } from './plain-batch.ts'
import type { Bytes, PlainBatchFields, PlainHeader, PlainRecord } from './plain-batch.ts'

const GOLDEN_BYTES_MAX = 300
const BATCH_HEADER_BYTES = 61
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10

/** Bytes that mean something: lengths, signs, null, a varint that goes on. */
const BYTES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x0e, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff]
const INT32S = [0, 1, 2, 3, 7, 48, 49, 50, 61, 127, 128, 8_191, 8_192, 65_535, 2 ** 30, 2 ** 31 - 1, -1, -2, -(2 ** 31)]
const INT64S = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n - 2n,
  2n ** 53n,
  -(2n ** 53n),
  -(2n ** 53n) + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]
/** Where a header's numbers are: batchLength, epoch, lastOffsetDelta, sequence, count; offset, timestamps, producer. */
const INT32_FIELDS = [8, 8, 12, 23, 23, 53, 57, 57]
const INT64_FIELDS = [0, 27, 35, 43]

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!
}

function someBytes(random: Random, lengthMax: number): Bytes {
  return Uint8Array.from({ length: random.below(lengthMax + 1) }, () => random.below(256))
}

function someField(random: Random): Bytes | null {
  const kind = random.below(12)
  if (kind < 3) return null
  // One in twelve has a length of two bytes.
  return someBytes(random, kind === 3 ? 150 : kind < 8 ? 8 : 40)
}

function someRecord(random: Random, spreadMs: number): PlainRecord {
  const headers: PlainHeader[] = []
  if (random.below(4) === 0) {
    for (let i = random.below(4); i > 0; i--)
      headers.push({ key: someBytes(random, 5), value: random.below(3) === 0 ? null : someBytes(random, 6) })
  }
  return { timestamp: 1_700_000_000_000 + random.below(spreadMs), key: someField(random), value: someField(random), headers }
}

function someBatch(random: Random): Bytes {
  const spreadMs = pick(random, [1, 10, 20_000, 2 ** 31])
  const records = Array.from({ length: 1 + random.below(6) }, () => someRecord(random, spreadMs))
  const fields: PlainBatchFields = {
    baseOffset: pick(random, [0, 7, 2 ** 40, Number.MAX_SAFE_INTEGER - 1_000_000]),
    leaderEpoch: random.below(9),
    attributes: pick(random, [0, 0, 0, LOG_APPEND_TIME, TRANSACTIONAL]),
  }
  if (random.below(4) > 0) return plainBatch(records, fields)
  // As compaction leaves it.
  let delta = -1
  const offsetDeltas = records.map(() => (delta += 1 + random.below(pick(random, [2, 70, 10_000]))))
  return plainBatch(records, { ...fields, offsetDeltas, lastOffsetDelta: delta + random.below(3) })
}

/** Whole batches, and some of two or three end to end, of every kind that there is. */
export function wholeBatches(random: Random): Bytes[] {
  const golden = [...goldenBatches, ...goldenControls].map(({ bytes }) => fromHex(bytes)).filter(({ length }) => length <= GOLDEN_BYTES_MAX)
  const made = Array.from({ length: 60 }, () => someBatch(random))
  const many = Array.from({ length: 90 }, (_, i) => ({ timestamp: i, key: null, value: Uint8Array.of(i), headers: [] }))
  const emptied = plainBatch([], { baseOffset: 3, lastOffsetDelta: 3 })
  const single = [...golden, ...made, plainBatch(many), emptied]
  const sequences = Array.from({ length: 15 }, () => {
    const batches = Array.from({ length: 2 + random.below(2) }, () => pick(random, single))
    return new Uint8Array(Buffer.concat(batches))
  })
  return [...single, ...sequences]
}

function replace(bytes: Bytes, at: number, removed: number, inserted: Uint8Array): Bytes {
  const changed = new Uint8Array(Math.max(0, bytes.length - removed) + inserted.length)
  changed.set(bytes.subarray(0, at))
  changed.set(inserted, at)
  changed.set(bytes.subarray(at + removed), at + inserted.length)
  return changed
}

function overwrite(bytes: Bytes, at: number, source: Uint8Array): Bytes {
  bytes.set(source.subarray(0, bytes.length - at), at)
  return bytes
}

/** A varint of up to eleven bytes, which may not end. */
function varintGarbage(random: Random): Uint8Array {
  const garbage = Uint8Array.from({ length: 1 + random.below(11) }, () => 0x80 | random.below(256))
  if (random.below(4) > 0) garbage[garbage.length - 1] = random.below(0x80)
  return garbage
}

/** A number from 0 on, in as many bytes: more than it needs. */
function stretched(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => (((2 * value) >> (7 * i)) % 128) | (i + 1 < bytes ? 0x80 : 0))
}

/** A batch of one record whose numbers may all be longer than they need be, and which may end anywhere. */
export function stretchedRecord(random: Random): Bytes {
  const size = (): number => pick(random, [1, 2, 2, 3, 4, 5])
  const field = (): number[] => {
    const bytes = someBytes(random, 12)
    return random.below(3) === 0 ? [1] : [...stretched(bytes.length, size()), ...bytes]
  }
  const body = [0, ...stretched(random.below(64), size()), ...stretched(random.below(64), size()), ...field(), ...field(), 0]
  const record = [...stretched(body.length, pick(random, [1, 2, 2, 3])), ...body]
  if (random.below(3) > 0) record.length = random.below(record.length)
  const batch = new Uint8Array([...plainBatch([]), ...record])
  const view = new DataView(batch.buffer)
  view.setInt32(8, batch.length - 12)
  view.setInt32(23, 63)
  view.setInt32(57, 1)
  return batch
}

type Mutation = (bytes: Bytes, random: Random, whole: readonly Bytes[]) => Bytes

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    return bytes
  },
  function flipBitOfRecords(bytes, random) {
    if (bytes.length > BATCH_HEADER_BYTES)
      bytes[BATCH_HEADER_BYTES + random.below(bytes.length - BATCH_HEADER_BYTES)]! ^= 1 << random.below(8)
    return bytes
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = pick(random, BYTES)
    return bytes
  },
  function stepByte(bytes, random) {
    bytes[random.below(bytes.length)]! += pick(random, [-2, -1, 1, 2])
    return bytes
  },
  function cutOff(bytes, random) {
    return bytes.slice(0, random.below(bytes.length))
  },
  function removeRange(bytes, random) {
    const at = random.below(bytes.length)
    return replace(bytes, at, Math.min(bytes.length - at, 1 + random.below(8)), new Uint8Array(0))
  },
  function insertBytes(bytes, random) {
    return replace(
      bytes,
      random.below(bytes.length + 1),
      0,
      Uint8Array.from({ length: 1 + random.below(8) }, () => pick(random, BYTES)),
    )
  },
  function writeVarintGarbage(bytes, random) {
    return overwrite(bytes, random.below(bytes.length), varintGarbage(random))
  },
  function insertVarintGarbage(bytes, random) {
    return replace(bytes, random.below(bytes.length), 1, varintGarbage(random))
  },
  function lieInInt32(bytes, random) {
    const at = pick(random, INT32_FIELDS)
    if (bytes.length >= BATCH_HEADER_BYTES) new DataView(bytes.buffer).setInt32(at, pick(random, INT32S))
    return bytes
  },
  function lieInInt64(bytes, random) {
    const at = pick(random, INT64_FIELDS)
    if (bytes.length >= BATCH_HEADER_BYTES) new DataView(bytes.buffer).setBigInt64(at, pick(random, INT64S))
    return bytes
  },
  function spliceAnother(bytes, random, whole) {
    const other = pick(random, whole)
    const from = random.below(other.length)
    return overwrite(bytes, random.below(bytes.length), other.subarray(from, from + 1 + random.below(60)))
  },
  function stretchVarints(_bytes, random) {
    return stretchedRecord(random)
  },
  function repeatRange(bytes, random) {
    const at = random.below(bytes.length)
    return replace(bytes, at, 0, bytes.slice(at, at + 1 + random.below(60)))
  },
]

export const MUTATION_NAMES: readonly string[] = MUTATIONS.map(({ name }) => name)

/** Something that began as whole batches; `applied` takes the names of what was done to it. */
export function damagedBatches(random: Random, whole: readonly Bytes[], applied: Set<string>): Bytes {
  let bytes: Bytes = pick(random, whole).slice()
  for (let i = pick(random, [1, 1, 1, 2, 3]); i > 0 && bytes.length > 0; i--) {
    const mutation = pick(random, MUTATIONS)
    bytes = mutation(bytes, random, whole)
    applied.add(mutation.name)
  }
  // The truth about size and CRC, so that lies behind them are met.
  const repair = random.below(4)
  if (bytes.length < BATCH_HEADER_BYTES || repair === 0) return bytes
  const view = new DataView(bytes.buffer)
  view.setInt32(8, bytes.length - 12)
  if (repair === 1) view.setUint32(17, plainCrc32c(bytes, 21, bytes.length))
  return bytes
}
