// The codecs of record batches, by the number in a batch's attributes (Kafka:
// CompressionType, KIP-110 for zstd). Any thread; each library is loaded when it is first
// needed (codec-libraries.ts), for most threads never compress.
//
//   number   1 gzip          2 snappy                    3 lz4                  4 zstd
//   written  RFC 1952        xerial's stream, 32 KiB     frames, 64 KiB blocks  one frame
//   read     members         that, and raw               any frame              frames
//
// Holds: whatever the bytes say, nothing beyond `maxBytes` is written or allocated for
// what comes out, and what is no such stream is CORRUPT_MESSAGE. What a codec gives is
// borrowed: it is valid until the next call of the same codec on this thread.

export interface Codec {
  /** Borrowed. `level`: of Kafka's range for the codec; those without levels take any. */
  compress(bytes: Uint8Array, level: number): Uint8Array
  /** Borrowed. Throws CORRUPT_MESSAGE, and RECORD_LIST_TOO_LARGE where more than `maxBytes` would come out. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}
