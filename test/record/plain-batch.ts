// Record batches the plain way, from the format's description alone and sharing no code
// with src/record: what its builder, cursor and checks are compared with. Slow and
// exact: whole numbers are BigInts, bytes are asked for one by one.

export type Bytes = Uint8Array<ArrayBuffer>
export type Fault = 'CORRUPT_MESSAGE' | 'UNSUPPORTED_COMPRESSION_TYPE'

export interface PlainHeader {
  readonly key: Bytes
  readonly value: Bytes | null
}

/** A record as it is to be written. */
export interface PlainRecord {
  readonly timestamp: number
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: readonly PlainHeader[]
}

export interface PlainBatchFields {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly attributes?: number
  readonly maxTimestamp?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly lastOffsetDelta?: number
  /** Of each record; 0, 1, 2 … unless given. */
  readonly offsetDeltas?: readonly number[]
  readonly withCrc?: boolean
}

/** A record where it lies: positions are bytes of the memory that was read. */
export interface FoundRecord {
  readonly offset: number
  readonly timestamp: number
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly headersStart: number
  readonly headersEnd: number
  readonly headerCount: number
  readonly batchStart: number
}

export interface PlainWalk {
  readonly records: FoundRecord[]
  /** What the walk ended in; undefined: the end of the batches. */
  readonly fault: Fault | undefined
}

const SAFE_MAX = 2n ** 53n - 1n
const HEADER_BYTES = 61

/** Thrown here, and turned into a result below. */
class Refusal {
  readonly fault: Fault
  constructor(fault: Fault) {
    this.fault = fault
  }
}

export function corrupt(): never {
  throw new Refusal('CORRUPT_MESSAGE')
}

export function faultOf(check: () => unknown): Fault | undefined {
  try {
    check()
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal.fault
    throw refusal
  }
  return undefined
}

/** The CRC of each byte alone, bit by bit. */
const crcOfByte = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc
})

export function plainCrc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff_ffff
  for (let i = start; i < end; i++) crc = crcOfByte[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

export function plainVarlong(value: bigint): number[] {
  let rest = value >= 0n ? 2n * value : -2n * value - 1n
  const bytes: number[] = []
  while (rest >= 128n) {
    bytes.push(Number(rest % 128n) + 128)
    rest /= 128n
  }
  bytes.push(Number(rest))
  return bytes
}

function field(bytes: Bytes | null): number[] {
  return bytes === null ? [1] : [...plainVarlong(BigInt(bytes.length)), ...bytes]
}

function plainRecord(record: PlainRecord, timestampDelta: number, offsetDelta: number): number[] {
  const body = [
    0,
    ...plainVarlong(BigInt(timestampDelta)),
    ...plainVarlong(BigInt(offsetDelta)),
    ...field(record.key),
    ...field(record.value),
  ]
  body.push(...plainVarlong(BigInt(record.headers.length)))
  for (const { key, value } of record.headers) body.push(...field(key), ...field(value))
  return [...plainVarlong(BigInt(body.length)), ...body]
}

/** A batch of the records: exactly what a builder should give, unless the fields say otherwise. */
export function plainBatch(records: readonly PlainRecord[], fields: PlainBatchFields = {}): Bytes {
  const baseTimestamp = records[0]?.timestamp ?? -1
  const body = records.map((record, i) => plainRecord(record, record.timestamp - baseTimestamp, fields.offsetDeltas?.[i] ?? i))
  const bytes = new Uint8Array(HEADER_BYTES + body.reduce((sum, { length }) => sum + length, 0))
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(fields.baseOffset ?? 0))
  view.setInt32(8, bytes.length - 12)
  view.setInt32(12, fields.leaderEpoch ?? -1)
  view.setInt8(16, 2)
  view.setInt16(21, fields.attributes ?? 0)
  view.setInt32(23, fields.lastOffsetDelta ?? records.length - 1)
  view.setBigInt64(27, BigInt(baseTimestamp))
  view.setBigInt64(35, BigInt(fields.maxTimestamp ?? records.reduce((max, { timestamp }) => Math.max(max, timestamp), -1)))
  view.setBigInt64(43, BigInt(fields.producerId ?? -1))
  view.setInt16(51, fields.producerEpoch ?? -1)
  view.setInt32(53, fields.baseSequence ?? -1)
  view.setInt32(57, records.length)
  let at = HEADER_BYTES
  for (const record of body) {
    bytes.set(record, at)
    at += record.length
  }
  if (fields.withCrc !== false) view.setUint32(17, plainCrc32c(bytes, 21, bytes.length))
  return bytes
}

/** Reads numbers from bytes[at, limit), and nothing else. */
class PlainReader {
  at: number
  readonly limit: number
  readonly #bytes: Bytes

  constructor(bytes: Bytes, at: number, limit: number) {
    this.#bytes = bytes
    this.at = at
    this.limit = limit
  }

  byte(): number {
    if (this.at >= this.limit) corrupt()
    return this.#bytes[this.at++]!
  }

  /** A zig-zag number of so many bits. */
  number(bits: number): bigint {
    const bytesMax = Math.ceil(bits / 7)
    let value = 0n
    for (let i = 0; i < bytesMax; i++) {
      const byte = this.byte()
      value += BigInt(byte % 128) << BigInt(7 * i)
      if (byte < 128) {
        if (value >= 1n << BigInt(bits)) corrupt()
        return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n
      }
    }
    return corrupt()
  }

  /** The bytes behind a length; -1 and -1 are null. */
  field(nullable: boolean): { start: number; end: number } {
    const length = Number(this.number(32))
    if (length === -1 && nullable) return { start: -1, end: -1 }
    if (length < 0 || length > this.limit - this.at) corrupt()
    this.at += length
    return { start: this.at - length, end: this.at }
  }
}

function safe(value: bigint): number {
  if (value > SAFE_MAX || value < -SAFE_MAX) corrupt()
  return Number(value)
}

/** What a cursor should give of the batches that fill `bytes`. */
export function plainWalk(bytes: Bytes, fromOffset = 0, withControl = false): PlainWalk {
  const records: FoundRecord[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const fault = faultOf(() => {
    for (let start = 0; start < bytes.length; ) {
      if (bytes.length - start < HEADER_BYTES) corrupt()
      const size = view.getInt32(start + 8) + 12
      if (size < HEADER_BYTES || size > bytes.length - start || view.getInt8(start + 16) !== 2) corrupt()
      walkBatch(bytes, view, start, start + size, withControl, (record) => {
        if (record.offset >= fromOffset) records.push(record)
      })
      start += size
    }
  })
  return { records, fault }
}

function walkBatch(
  bytes: Bytes,
  view: DataView,
  start: number,
  end: number,
  withControl: boolean,
  take: (record: FoundRecord) => void,
): void {
  const attributes = view.getInt16(start + 21)
  const count = view.getInt32(start + 57)
  const isControl = (attributes & 0x20) !== 0
  if ((isControl && !withControl) || (count === 0 && end - start === HEADER_BYTES)) return
  if ((attributes & 7) !== 0) throw new Refusal('UNSUPPORTED_COMPRESSION_TYPE')
  // A record takes seven bytes or more.
  if (count < 1 || count * 7 > end - start - HEADER_BYTES) corrupt()
  const baseOffset = safe(view.getBigInt64(start))
  const lastOffsetDelta = view.getInt32(start + 23)
  if (baseOffset < 0 || lastOffsetDelta < count - 1) corrupt()
  safe(BigInt(baseOffset) + BigInt(lastOffsetDelta))
  const isLogAppendTime = (attributes & 8) !== 0
  const time = safe(view.getBigInt64(start + (isLogAppendTime ? 35 : 27)))
  let at = start + HEADER_BYTES
  let offsetBefore = -1n
  for (let i = 0; i < count; i++) {
    const outer = new PlainReader(bytes, at, end)
    const body = outer.field(false)
    const reader = new PlainReader(bytes, body.start, body.end)
    reader.byte()
    const timestampDelta = safe(reader.number(64))
    const offsetDelta = reader.number(32)
    if (offsetDelta <= offsetBefore) corrupt()
    offsetBefore = offsetDelta
    const key = reader.field(true)
    const value = reader.field(true)
    const headerCount = Number(reader.number(32))
    if (headerCount < 0 || (headerCount === 0 && reader.at !== body.end)) corrupt()
    at = body.end
    if (i === count - 1 && (at !== end || Number(offsetDelta) > lastOffsetDelta)) corrupt()
    take({
      offset: baseOffset + Number(offsetDelta),
      timestamp: isLogAppendTime ? time : time + timestampDelta,
      keyStart: key.start,
      keyEnd: key.end,
      valueStart: value.start,
      valueEnd: value.end,
      headersStart: reader.at,
      headersEnd: body.end,
      headerCount,
      batchStart: start,
    })
  }
}

/** Where the headers of a record lie; a refusal if they lie. */
export function plainHeaders(bytes: Bytes, record: FoundRecord): { key: Bytes; value: Bytes | null }[] {
  const reader = new PlainReader(bytes, record.headersStart, record.headersEnd)
  const headers: { key: Bytes; value: Bytes | null }[] = []
  if (record.headerCount * 2 > record.headersEnd - record.headersStart) corrupt()
  for (let i = 0; i < record.headerCount; i++) {
    const key = reader.field(false)
    const value = reader.field(true)
    headers.push({ key: bytes.slice(key.start, key.end), value: value.start < 0 ? null : bytes.slice(value.start, value.end) })
  }
  if (reader.at !== record.headersEnd) corrupt()
  return headers
}

/** What the deep check should say of the one batch that fills `bytes`, but for its CRC. */
export function plainFault(bytes: Bytes): Fault | undefined {
  return faultOf(() => {
    if (bytes.length < HEADER_BYTES) corrupt()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (view.getInt32(8) + 12 !== bytes.length || view.getInt8(16) !== 2) corrupt()
    const attributes = view.getInt16(21)
    if ((attributes & 7) !== 0) throw new Refusal('UNSUPPORTED_COMPRESSION_TYPE')
    const baseOffset = safe(view.getBigInt64(0))
    const lastOffsetDelta = view.getInt32(23)
    if (baseOffset < 0 || lastOffsetDelta < 0) corrupt()
    safe(BigInt(baseOffset) + BigInt(lastOffsetDelta))
    safe(view.getBigInt64(27))
    const maxTimestamp = safe(view.getBigInt64(35))
    safe(view.getBigInt64(43))
    const { records, fault } = plainWalk(bytes, 0, true)
    if (fault !== undefined) throw new Refusal(fault)
    for (const record of records) {
      if (!Number.isSafeInteger(record.timestamp)) corrupt()
      plainHeaders(bytes, record)
    }
    if (records.length === 0 || (attributes & 8) !== 0) return
    if (records.every(({ timestamp }) => timestamp !== maxTimestamp) || records.some(({ timestamp }) => timestamp > maxTimestamp)) corrupt()
  })
}

/** Whether bytes that may be a batch have their CRC. */
export function hasPlainCrc(bytes: Bytes): boolean {
  return bytes.length >= HEADER_BYTES && new DataView(bytes.buffer, bytes.byteOffset).getUint32(17) === plainCrc32c(bytes, 21, bytes.length)
}

/** What the check of a batch off a lane should say, as its error's name. */
export function plainLaneFault(bytes: Bytes): Fault | 'INVALID_RECORD' | undefined {
  if (bytes.length < HEADER_BYTES) return 'CORRUPT_MESSAGE'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getInt32(8) + 12 !== bytes.length || view.getInt8(16) !== 2) return 'CORRUPT_MESSAGE'
  const compression = view.getInt16(21) & 7
  if (compression > 4) return 'UNSUPPORTED_COMPRESSION_TYPE'
  if ((view.getInt16(21) & 0x20) !== 0) return 'INVALID_RECORD'
  const count = view.getInt32(57)
  const room = bytes.length - HEADER_BYTES
  if (count < 1 || (compression === 0 ? count * 7 > room : room === 0) || view.getInt32(23) !== count - 1) return 'CORRUPT_MESSAGE'
  return faultOf(() => [27, 35, 43].map((at) => safe(view.getBigInt64(at))))
}
