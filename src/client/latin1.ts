// Bytes in a range as text, a character a byte: to tell them apart, as a key of a Map does.
// Runs on the reader's thread.

type Latin1Slice = (this: Uint8Array, start: number, end: number) => string

/** Node's own, without a view of the range; not in its documentation, so it may be missing one day. */
const latin1Slice: Latin1Slice | undefined = (Buffer.prototype as unknown as { latin1Slice?: Latin1Slice }).latin1Slice

export function latin1Text(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): string {
  if (start === end) return ''
  if (latin1Slice !== undefined) return latin1Slice.call(bytes, start, end)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
