// What a careful user writes by hand today: records of one length prefix and a value, end to
// end in a 64 KiB buffer that is transferred, not copied.
//
//   +0  uint16 LE  length of the value     (0: no more records in this buffer)
//   +2  value
//   …
//
// The receiver walks every record and adds its first and last byte, as our cursor does.

export const PACKED_BYTES = 65_536
export const LENGTH_BYTES = 2

export function recordsPerBuffer(valueBytes: number): number {
  return Math.floor(PACKED_BYTES / (LENGTH_BYTES + valueBytes))
}

/** Packs records `from` up to `to` of the pattern, as many as fit, and gives the first that is not packed. */
export function packRecords(buffer: Uint8Array, value: Uint8Array, from: number, to: number): number {
  const valueBytes = value.length
  const last = valueBytes - 1
  const end = buffer.length - LENGTH_BYTES - valueBytes
  let at = 0
  let i = from
  while (i < to && at <= end) {
    value[0] = i
    value[last] = i >>> 8
    buffer[at] = valueBytes
    buffer[at + 1] = valueBytes >>> 8
    buffer.set(value, at + LENGTH_BYTES)
    at += LENGTH_BYTES + valueBytes
    i++
  }
  if (at + 1 < buffer.length) {
    buffer[at] = 0
    buffer[at + 1] = 0
  }
  return i
}

export interface Walk {
  records: number
  checksum: number
}

/** Adds the records of one buffer to `walk`. */
export function walkPacked(buffer: Uint8Array, walk: Walk): void {
  let at = 0
  let records = 0
  let sum = 0
  while (at + LENGTH_BYTES <= buffer.length) {
    const valueBytes = buffer[at]! | (buffer[at + 1]! << 8)
    if (valueBytes === 0) break
    at += LENGTH_BYTES
    sum += buffer[at]! + buffer[at + valueBytes - 1]!
    at += valueBytes
    records++
  }
  walk.records += records
  walk.checksum += sum
}
