// The values that every road carries, so that a lost, doubled or torn record shows in a count
// and a checksum: record i has i in its first byte and i >>> 8 in its last.
//
//   value   [ i & 255 ][ constant filling … ][ (i >>> 8) & 255 ]
//
// Readers add the first and the last byte of each value: the same work on every road.

export const VALUE_BYTES_MIN = 2

/** A value whose inner bytes are not zero, so that nothing can be skipped or compressed away. */
export function patternValue(valueBytes: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(valueBytes) || valueBytes < VALUE_BYTES_MIN) {
    throw new RangeError(`a value has at least ${VALUE_BYTES_MIN} bytes, not ${valueBytes}`)
  }
  const value = new Uint8Array(valueBytes)
  for (let i = 0; i < valueBytes; i++) value[i] = (i * 167 + 13) & 255
  return value
}

/** Makes `value` the value of record `i`. */
export function stampValue(value: Uint8Array, i: number): void {
  value[0] = i
  value[value.length - 1] = i >>> 8
}

/** The sum of the first and last bytes of records 0 to `records` - 1, without looking at each. */
export function expectedChecksum(records: number): number {
  return firstBytes(records) + lastBytes(records)
}

const CYCLE_SUM = (255 * 256) / 2

function firstBytes(records: number): number {
  const cycles = Math.floor(records / 256)
  const rest = records % 256
  return cycles * CYCLE_SUM + (rest * (rest - 1)) / 2
}

function lastBytes(records: number): number {
  // The last byte grows by one every 256 records and comes round every 65,536.
  const rounds = Math.floor(records / 65_536)
  const rest = records % 65_536
  const steps = Math.floor(rest / 256)
  return rounds * 256 * CYCLE_SUM + 256 * ((steps * (steps - 1)) / 2) + (rest % 256) * steps
}
