// What a thread of the compression pool is given.

/** One whole batch, uncompressed, in memory of its own, which is given away with it. */
export interface CompressionTask {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The codec by its number. */
  readonly type: number
  readonly level: number
}
