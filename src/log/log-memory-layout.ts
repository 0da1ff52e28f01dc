// The bytes of log memory: the arena that all partitions of a process keep their
// batches in (Kafka: the log segments; Aeron: term buffers), and the tables beside it.
// Read and written by every thread of the process; this file only names places.
//
//   arena       blocks of 8 MiB, each 512 granules of 16 KiB; an extent is 2^order granules of one
//               block (order 0 to 9) and holds the batches of one partition:
//
//               | batch | batch | batch |    room    | entry 2 | entry 1 | entry 0 |
//               0 ────── batches, end to end ──▶ end       ◀── sparse offset index ── size
//
//               an index entry (16 bytes), one for each 4096 bytes or more, none for the first batch:
//               +0  i32  offset of the batch less the extent's base offset
//               +4  i32  position of the batch in the extent
//               +8  f64  largest timestamp of all batches of the extent before this one
//
//   extents     one row of 128 bytes a granule; an extent uses the row of its first granule
//               +0   i32  state        0 FREE, 1 ALLOCATED, 2 RETURNED (free, and its owner must collect it)
//               +4   i32  order        the extent is 2^order granules long
//               +8   i32  slot         of the partition whose batches it holds
//               +12  i32  next         first granule of the next extent of the partition, -1: none
//               +16  i32  end          bytes of batches, from the extent's start
//               +20  i32  index count  entries of the offset index
//               +32  i64  base offset  of its first batch
//               +40  f64  max timestamp of all its batches
//               +48  f64  begun        when it came to life, on the monotonic clock
//               +64  i32  generation   odd while the extent is live, even otherwise; never goes back
//               The generation has a cache line of its own: every reader writes to it (see
//               shared-log-reader.ts), and the leader must not wait for them to write `end`.
//
//   blocks      a header, then one row of 64 bytes a block
//               header: +0    2 x i32   wanting brokers, one bit each
//                       +64   64 x i32  what broker n wants: 0, or order + 1, and bit 8 when it cannot wait
//                       +320  64 x i32  attention of broker n: bits 0 returned, 1 trim, 2 memory
//                       +576  64 x i32  granules that broker n has free and does not need
//               row:    +0    i32  owner    0 nobody, else epoch << 8 | broker + 1
//                       +4    i32  returned  extents marked RETURNED since the owner last looked
//                       +8    i32  touched   granules from the block's start that are resident: no extent ever went further
//
//   partitions  a header, four dense tables, then one control block of 256 bytes a slot
//               header:  +0 i32 slots  +4 i32 one past the highest slot ever used
//                        +8 i32 id of the I/O thread's bell + 1, 0: logs have no files
//                        +64 2 x i32 brokers that lead a partition of which something was written, one bit each
//               holdings: i32 a slot, granules held << 2 | retention kind: what retention looks through
//               trim wanted: one bit a slot
//               write wanted: one bit a slot, set by its leader: the log end or the log start moved
//               written: one bit a slot, set by the I/O thread: what it publishes moved
//               control block:
//               +0    i32  incarnation  odd while the slot is in use
//               +4    i32  partition
//               +8    i32  retention kind
//               +12   i32  deleting
//               +16   4 x i32  topic id
//               +32   i64  leader       epoch << 32 | broker + 1, 0: none
//               +64   i64  log start offset       ┐ written by the leader, once a duty cycle
//               +72   i64  memory start offset    │ at most; read by everybody
//               +80   i64  log end offset         │
//               +88   i64  durable end offset     │
//               +96   i64  high watermark         │
//               +104  i64  last stable offset     │
//               +112  i32  first extent, +116 i32 last extent (granule, -1: none)
//               +120  i32  durability   how deep a record must be to be acknowledged: 0 memory, 1 cache, 2 disk
//               +124  i32  files        0 as they should be, 1 failed: nothing more is written, 2 damaged: nothing is known of
//                                       what was (by the I/O thread)
//               +128  i32  waiter summary, one bit for each of the words behind it
//               +132  8 x i32  waiters, one bit a thread: written by readers, so on a line of their own
//               +164  i32  home         whose log directory has its files: node id + 1, 0: it has none yet
//               +192  i64  records that memory retention took
//               +200  i64  records that retention by age and by size took
//               +208  i64  cleaned offset: all below it was compacted
//               +216  i64  written end     ┐ one past the last offset that is in the partition's files, and that is
//               +224  i64  synced end      ┘ synced there: written by the I/O thread
//               +232  i64  retention start: where retention of the files lets the log begin, by the I/O thread
//
// Holds: a row's state is not FREE only in the row of the first granule of a live or
// returned extent, so the rows alone say which granules of a block are in use.
// All tables start as zeros and are touched only when used: nothing is resident before.

export const GRANULE_BYTES = 16 * 1024
export const BLOCK_BYTES = 8 * 1024 * 1024
export const BLOCK_GRANULES = BLOCK_BYTES / GRANULE_BYTES
export const BLOCK_GRANULES_SHIFT = 9
export const ORDER_MAX = 9
/** Nothing larger fits an extent, so no batch may be larger. */
export const EXTENT_BYTES_MAX = BLOCK_BYTES
export const LOG_MEMORY_BYTES_MIN = 2 * BLOCK_BYTES
export const LOG_MEMORY_BYTES_DEFAULT = 256 * 1024 * 1024
export const PARTITIONS_MAX_DEFAULT = 32_768

// The offset index.
export const INDEX_ENTRY_BYTES = 16
export const INDEX_INTERVAL_BYTES = 4096

// Rows of the extent table, in 32-bit words (base offset and max timestamp in 64-bit ones).
export const EXTENT_ROW_BYTES = 128
export const EXTENT_ROW_WORDS_SHIFT = 5
export const EXTENT_ROW_LONGS_SHIFT = 4
export const EXTENT_STATE = 0
export const EXTENT_ORDER = 1
export const EXTENT_SLOT = 2
export const EXTENT_NEXT = 3
export const EXTENT_END = 4
export const EXTENT_INDEX_COUNT = 5
export const EXTENT_BASE_OFFSET_LONG = 4
export const EXTENT_MAX_TIMESTAMP_LONG = 5
export const EXTENT_BEGUN_LONG = 6
export const EXTENT_GENERATION = 16

export const STATE_FREE = 0
export const STATE_ALLOCATED = 1
export const STATE_RETURNED = 2

// Words of the block table.
export const WANTING_BROKERS = 0
export const WANTED_MEMORY = 16
export const ATTENTION = 80
export const SPARE = 144
export const BLOCK_HEADER_BYTES = 832
export const BLOCK_ROW_BYTES = 64
export const BLOCK_ROW_WORDS = 16
export const BLOCK_OWNER = 0
export const BLOCK_RETURNED = 1
export const BLOCK_TOUCHED = 2
export const BLOCK_REST_UNTIL_LONG = 2

/** Extents of this broker's blocks were returned. */
export const ATTENTION_RETURNED = 1
/** A partition that this broker leads is asked for its oldest extent. */
export const ATTENTION_TRIM = 2
/** Somebody wants memory, or some was released. */
export const ATTENTION_MEMORY = 4

export const WANT_URGENT = 256

// The partition table: words of its header and of a control block.
export const PARTITIONS_MAX = 0
export const SLOTS_HIGH = 1
export const IO_THREAD = 2
export const WRITTEN_BROKERS = 16
export const PARTITION_HEADER_BYTES = 128
export const CONTROL_BYTES = 256
export const CONTROL_WORDS = 64
export const CONTROL_LONGS = 32
export const CONTROL_INCARNATION = 0
export const CONTROL_PARTITION = 1
export const CONTROL_RETENTION_KIND = 2
export const CONTROL_DELETING = 3
export const CONTROL_TOPIC_ID = 4
export const CONTROL_LEADER_LONG = 4
export const CONTROL_LOG_START_LONG = 8
export const CONTROL_MEMORY_START_LONG = 9
export const CONTROL_LOG_END_LONG = 10
export const CONTROL_DURABLE_END_LONG = 11
export const CONTROL_HIGH_WATERMARK_LONG = 12
export const CONTROL_LAST_STABLE_LONG = 13
export const CONTROL_FIRST_EXTENT = 28
export const CONTROL_LAST_EXTENT = 29
export const CONTROL_DURABILITY = 30
export const CONTROL_FILES = 31
export const CONTROL_WAITER_SUMMARY = 32
export const CONTROL_WAITERS = 33
export const CONTROL_HOME = 41
export const CONTROL_TRIMMED_LONG = 24
export const CONTROL_EXPIRED_LONG = 25
export const CONTROL_CLEANED_LONG = 26
export const CONTROL_WRITTEN_END_LONG = 27
export const CONTROL_SYNCED_END_LONG = 28
export const CONTROL_RETENTION_START_LONG = 29

/** `retention.bytes` at its default: the oldest extents go when the arena is full. */
export const RETENTION_DEFAULT = 0
/** `retention.bytes` explicitly -1: nothing goes, and writes are refused beyond half the arena. */
export const RETENTION_PINNED = 1
/** Internal topics: nothing goes. */
export const RETENTION_INTERNAL = 2

/** Logs are in memory alone. */
export const DURABILITY_MEMORY = 0
/** Acknowledged when written to the file: survives the process. */
export const DURABILITY_CACHE = 1
/** Acknowledged when synced to disk: survives the machine. */
export const DURABILITY_DISK = 2

export type Durability = typeof DURABILITY_MEMORY | typeof DURABILITY_CACHE | typeof DURABILITY_DISK

export const FILES_FINE = 0
export const FILES_FAILED = 1
export const FILES_DAMAGED = 2

export type RetentionKind = typeof RETENTION_DEFAULT | typeof RETENTION_PINNED | typeof RETENTION_INTERNAL

/** The smallest order whose extent holds `sizeInBytes`; above ORDER_MAX when none does. */
export function orderForBytes(sizeInBytes: number): number {
  const granules = Math.ceil(sizeInBytes / GRANULE_BYTES)
  return granules <= 1 ? 0 : 32 - Math.clz32(granules - 1)
}

/** Bytes of an extent of this order. */
export function extentBytes(order: number): number {
  return GRANULE_BYTES << order
}
