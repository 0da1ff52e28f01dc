// The copy that decoders of the LZ family do for each match. Pure; any thread.

const LOOP_BYTES_MAX = 32

/** Copies `length` bytes from `distance` before `to`; where they overlap, what was just written is copied on. */
export function copyWithin(bytes: Uint8Array, to: number, distance: number, length: number): void {
  let from = to - distance
  if (length <= LOOP_BYTES_MAX) {
    const end = to + length
    while (to < end) bytes[to++] = bytes[from++]!
  } else if (distance >= length) {
    bytes.copyWithin(to, from, from + length)
  } else {
    // Each round doubles what may be copied at once.
    for (let done = 0, run = distance; done < length; run *= 2) {
      const size = Math.min(run, length - done)
      bytes.copyWithin(to + done, from, from + size)
      done += size
    }
  }
}
