// A look over MessagePack bytes before they are decoded: it walks the structure
// once, allocates nothing, and refuses what would make the decoder allocate far
// more than the bytes can hold, or give back another number than was written.
//
//   head byte                     what follows
//   00-7f e0-ff                   nothing: a small integer
//   80-8f de df                   2 n values: a map
//   90-9f dc dd                   n values: an array
//   a0-bf d9 da db                n bytes: a string
//   c4 c5 c6 / c7 c8 c9 d4-d8     n bytes: bin / a type byte and n bytes: ext
//   c0 c2 c3 / ca cb / cc-d3      nil, booleans / floats / integers of 1, 2, 4, 8 bytes
//   c1                            never used
//
// Runs on the reader's thread. Holds: every value takes at least a byte, so a header
// that claims more values than bytes are left lies, however deeply it is nested.

/** Arrays and maps within each other; the encoder stops there too. */
export const MSGPACK_DEPTH_MAX = 512

// How many bytes follow a head that has no length field.
const FIXED_SIZE = new Uint8Array(256)
FIXED_SIZE.set([4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17], 0xca) // floats, unsigned, signed, fixext

// How many bytes the length field takes, for heads that have one.
const LENGTH_SIZE = new Uint8Array(256)
LENGTH_SIZE.set([1, 2, 4, 1, 2, 4], 0xc4) // bin, ext
LENGTH_SIZE.set([1, 2, 4, 2, 4, 2, 4], 0xd9) // str, array, map

const left = new Int32Array(MSGPACK_DEPTH_MAX + 1)

/** What is wrong with the bytes from `start` to `end` as one MessagePack value; undefined when nothing is. */
export function msgpackFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  let position = start
  let depth = 0
  // values still to come, in all open arrays and maps together
  let pending = 1
  left[0] = 1
  for (;;) {
    while (depth >= 0 && left[depth] === 0) depth--
    if (depth < 0) break
    left[depth]! -= 1
    pending--
    if (position >= end) return TRUNCATED
    const head = bytes[position++]!
    // most values are small integers, short strings, nil and booleans
    if (head <= 0x7f || head >= 0xe0) continue
    if (head >= 0xa0 && head <= 0xbf) {
      position += head - 0xa0
      if (position > end) return TRUNCATED
      continue
    }
    if (head === 0xc1) return 'the byte c1 has no meaning'
    if ((head === 0xcf || head === 0xd3) && position + 8 <= end && !isSafe64(bytes, position, head === 0xd3)) return UNSAFE

    const lengthSize = LENGTH_SIZE[head]!
    if (position + lengthSize > end) return TRUNCATED
    const length = lengthSize === 0 ? 0 : readLength(bytes, position, lengthSize)
    position += lengthSize

    const children = childrenOf(head, length)
    if (children === 0) {
      const isBytes = head < 0xdc // of heads with a length, those above are arrays and maps
      position += FIXED_SIZE[head]! + (isBytes ? length : 0) + (head >= 0xc7 && head <= 0xc9 ? 1 : 0)
      if (position > end) return TRUNCATED
      continue
    }
    pending += children
    if (pending > end - position) return TRUNCATED
    if (++depth > MSGPACK_DEPTH_MAX) return `arrays and maps are nested more than ${MSGPACK_DEPTH_MAX} deep`
    left[depth] = children
  }
  return position === end ? undefined : `${end - position} bytes follow the value`
}

const TRUNCATED = 'the bytes end before the value does'
const UNSAFE = 'an integer is beyond 2^53 - 1'

function childrenOf(head: number, length: number): number {
  if (head >= 0x80 && head <= 0x8f) return (head - 0x80) * 2
  if (head >= 0x90 && head <= 0x9f) return head - 0x90
  if (head === 0xdc || head === 0xdd) return length
  if (head === 0xde || head === 0xdf) return length * 2
  return 0
}

function readLength(bytes: Uint8Array, position: number, size: number): number {
  let length = 0
  for (let i = 0; i < size; i++) length = length * 256 + bytes[position + i]!
  return length
}

function isSafe64(bytes: Uint8Array, position: number, isSigned: boolean): boolean {
  const unsigned = readLength(bytes, position, 4)
  const high = isSigned ? unsigned | 0 : unsigned
  // -2^53 itself is the one value of that high word that is not safe
  if (high === -0x20_0000) return readLength(bytes, position + 4, 4) !== 0
  return high > -0x20_0000 && high <= 0x1f_ffff
}
