// The bytes of a record batch, Kafka's RecordBatch v2 (magic 2): the one form that
// records have in lanes, log memory, segment files and on the wire.
// Constants only: any thread.
//
//   big-endian                                                        under the CRC
//   +0   int64   baseOffset            offset of the first record     no: the leader stamps it
//   +8   int32   batchLength           bytes behind this field        no
//   +12  int32   partitionLeaderEpoch  -1 from a producer             no: the leader stamps it
//   +16  int8    magic                 2                              no
//   +17  uint32  crc                   CRC-32C of +21 to the end
//   +21  int16   attributes            see below                      yes, and all that follows
//   +23  int32   lastOffsetDelta       offset of the last record, less baseOffset
//   +27  int64   baseTimestamp         of the first record
//   +35  int64   maxTimestamp          the append time with LogAppendTime
//   +43  int64   producerId            -1 none
//   +51  int16   producerEpoch         -1 none
//   +53  int32   baseSequence          -1 none
//   +57  int32   recordCount
//   +61  records, one behind the other; compressed as one block if attributes say so
//
//   a record; every number a zig-zag varint (32 bits) or varlong (64 bits)
//   length          varint   bytes behind this field
//   attributes      int8     0, unused
//   timestampDelta  varlong  to baseTimestamp
//   offsetDelta     varint   to baseOffset
//   keyLength       varint   -1: a null key      key
//   valueLength     varint   -1: a null value    value
//   headerCount     varint   then for each header:
//     keyLength     varint   0 or more           key, UTF-8
//     valueLength   varint   -1: a null value    value

export const BASE_OFFSET = 0
export const BATCH_LENGTH = 8
export const LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const RECORD_COUNT = 57
/** Bytes of a batch before its first record; an empty batch is this long. */
export const BATCH_HEADER_BYTES = 61

/** Bytes that `batchLength` does not count: baseOffset and batchLength themselves. */
export const BATCH_LENGTH_OVERHEAD_BYTES = 12
/** The CRC covers everything from here to the end. */
export const CRC_START = ATTRIBUTES

export const MAGIC_V2 = 2

export const ATTRIBUTE_COMPRESSION_MASK = 0x07
export const ATTRIBUTE_LOG_APPEND_TIME = 0x08
export const ATTRIBUTE_TRANSACTIONAL = 0x10
export const ATTRIBUTE_CONTROL = 0x20
export const ATTRIBUTE_DELETE_HORIZON = 0x40

/** Compression types by number, as Kafka's configs name them. */
export const COMPRESSION_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
/** Kafka's default level of each; 0 where there are none. */
export const COMPRESSION_LEVELS = [0, -1, 0, 9, 3] as const

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_TIMESTAMP = -1
export const NO_LEADER_EPOCH = -1

/** The most a record takes beside key, value and headers: length, attributes, both deltas (Kafka's MAX_RECORD_OVERHEAD). */
export const RECORD_OVERHEAD_BYTES_MAX = 21
/** The least a record takes: its length of one byte, and six fields of one byte. */
export const RECORD_BYTES_MIN = 7
/** The least a header takes: the lengths of an empty key and of a null value. */
export const HEADER_BYTES_MIN = 2
