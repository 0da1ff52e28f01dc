// Memory that a codec writes into, the same again and again (borrowed, see codec.ts).
// Private to one thread. Holds: what is kept between calls is at most 1 MiB.

const KEPT_BYTES_MAX = 1024 * 1024

export class CodecMemory {
  /** Not zeroed: only what was written is handed out. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  /** Makes room for so many bytes, where nothing of use lies. */
  reserve(sizeInBytes: number): Uint8Array<ArrayBuffer> {
    if (this.bytes.length < sizeInBytes || this.bytes.length > KEPT_BYTES_MAX) this.bytes = allocateBytes(Math.max(sizeInBytes, 65_536))
    return this.bytes
  }

  /** Makes room for so many bytes, of which those before `used` are kept; doubles, up to `limit`. */
  grow(used: number, sizeInBytes: number, limit: number): Uint8Array<ArrayBuffer> {
    const before = this.bytes
    if (before.length >= sizeInBytes) return before
    this.bytes = allocateBytes(Math.max(sizeInBytes, Math.min(2 * before.length, limit)))
    this.bytes.set(before.subarray(0, used))
    return this.bytes
  }
}

/** Memory that is not zeroed: hand out only what was written. */
export function allocateBytes(sizeInBytes: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(sizeInBytes)
  return new Uint8Array(buffer, byteOffset, sizeInBytes)
}
