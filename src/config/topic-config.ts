// The configs of a topic, in Kafka's dotted names: what a user may write into
// `defineTopic(…, { config })`. Types only; topic-config-table.ts has the ranges.

import type { OptionsOf } from '../config-def.ts'

/** All configs of a topic. Those that say "only" refuse anything else. */
export interface TopicConfig {
  // --- Retention and size
  /**
   * How long a record is kept, in ms; -1 for ever. A segment goes, within about a second, when the latest timestamp of its records is older
   * and it was begun as long ago, or five minutes. Default: 604800000.
   */
  readonly 'retention.ms': number
  /**
   * Bytes of a partition beyond which its oldest segments go. Left out, they go when log memory is full; -1, given, pins the topic: it
   * keeps everything, and refuses writes when pinned topics fill half of log memory. Default: -1.
   */
  readonly 'retention.bytes': number
  /** Largest batch of records that is taken, its header included. Default: 1048588. */
  readonly 'max.message.bytes': number
  /**
   * How deep a record must be before it is acknowledged: in memory, gone with the process; written to its file ('cache'), where it survives
   * the process; or synced to disk, where it survives the machine. With a dataDir it is 'cache' unless said. Default: 'memory'.
   */
  readonly 'millrace.durability': 'memory' | 'cache' | 'disk'
  /**
   * What happens to old segments: deleted, or compacted to the last record of each key, or both. A topic that is compacted wants a key in
   * every record; one that is not deleted keeps its last values, and, kept in memory alone, refuses writes when such topics fill half of
   * log memory. Default: ['delete'].
   */
  readonly 'cleanup.policy': readonly ('delete' | 'compact')[]
  /** How long a compacted topic keeps tombstones after a compaction first saw them, in ms. Default: 86400000. */
  readonly 'delete.retention.ms': number
  /** How long a record stays uncompacted at least, in ms. Default: 0. */
  readonly 'min.compaction.lag.ms': number
  /**
   * How long a record stays uncompacted at most, in ms, if others follow it; a segment is closed then, and compacted however clean the log
   * is. Default: 9007199254740991.
   */
  readonly 'max.compaction.lag.ms': number
  /** Share of a log, by bytes, that must be uncompacted before it is compacted. Default: 0.5. */
  readonly 'min.cleanable.dirty.ratio': number

  // --- Segments
  /** Size at which a segment file is full. In memory a segment is an extent of 16 KiB to 8 MiB. Default: 1073741824. */
  readonly 'segment.bytes': number
  /**
   * Age at which a segment is closed, full or not, in ms: only a closed one goes as a whole when its records are too old. Default:
   * 604800000.
   */
  readonly 'segment.ms': number
  /** Random time taken off segment.ms for a segment in files, in ms. Default: 0. */
  readonly 'segment.jitter.ms': number
  /** Size at which an index of a segment is full, and its segment with it. In memory an index takes what it needs. Default: 10485760. */
  readonly 'segment.index.bytes': number
  /** Bytes of records for each entry of the offset index. In memory it is 4096. Default: 4096. */
  readonly 'index.interval.bytes': number
  /** How long a deleted file stays on disk, in ms, for readers that have it open. Default: 60000. */
  readonly 'file.delete.delay.ms': number
  /** Whether a segment file has its full size from the start. No effect: files grow as they are written. Default: false. */
  readonly preallocate: boolean
  /**
   * Records after which the files of a log are synced to disk, acknowledged before it or not: millrace.durability says when a record is
   * safe. Default: 9007199254740991.
   */
  readonly 'flush.messages': number
  /**
   * Time after which the files of a log are synced to disk, in ms, acknowledged before it or not: millrace.durability says when a record is
   * safe. Default: 9007199254740991.
   */
  readonly 'flush.ms': number

  // --- Timestamps
  /** Whose time a record carries: its producer's or its leader's. Default: 'CreateTime'. */
  readonly 'message.timestamp.type': 'CreateTime' | 'LogAppendTime'
  /**
   * How far a record's timestamp may be in the past when its leader takes it, in ms; of a batch the first and the latest are looked at.
   * Default: 9007199254740991.
   */
  readonly 'message.timestamp.before.max.ms': number
  /**
   * How far a record's timestamp may be in the future when its leader takes it, in ms; of a batch the first and the latest are looked at.
   * Default: 3600000.
   */
  readonly 'message.timestamp.after.max.ms': number

  // --- Replicas
  /** In-sync replicas without which writes with acks 'all' are refused. Only 1 so far. Default: 1. */
  readonly 'min.insync.replicas': number
  /** Whether a replica that is not in sync may become leader, losing records. No effect with one replica. Default: false. */
  readonly 'unclean.leader.election.enable': boolean
  /** Replicas whose sending is throttled. Only the default, none. Default: []. */
  readonly 'leader.replication.throttled.replicas': readonly string[]
  /** Replicas whose receiving is throttled. Only the default, none. Default: []. */
  readonly 'follower.replication.throttled.replicas': readonly string[]

  // --- Compression
  /** How batches are kept: as the producer would send them, or in this form, in which producers send them then. Default: 'producer'. */
  readonly 'compression.type': 'producer' | 'uncompressed' | 'zstd' | 'lz4' | 'snappy' | 'gzip'
  /** Level of gzip, where compression.type is gzip and producers would not send it themselves. Default: -1. */
  readonly 'compression.gzip.level': number
  /** Level of lz4. No effect: there is one. Default: 9. */
  readonly 'compression.lz4.level': number
  /** Level of zstd, where compression.type is zstd and producers would not send it themselves. Default: 3. */
  readonly 'compression.zstd.level': number

  // --- Tiered storage and dead letters, which millrace does not have
  /** Whether closed segments move to tiered storage. Only the default: there is none. Default: false. */
  readonly 'remote.storage.enable': boolean
  /** Whether tiered storage is only read. Only the default: there is none. Default: false. */
  readonly 'remote.log.copy.disable': boolean
  /** Whether what is in tiered storage goes when it is switched off. Only the default: there is none. Default: false. */
  readonly 'remote.log.delete.on.disable': boolean
  /** Age of a closed segment before it moves to tiered storage, in ms. Only the default: there is none. Default: 0. */
  readonly 'remote.copy.lag.ms': number
  /** Bytes behind the log end before a closed segment moves to tiered storage. Only the default: there is none. Default: -1. */
  readonly 'remote.copy.lag.bytes': number
  /** How long a segment in tiered storage is kept here as well, in ms. Only the default: there is none. Default: -2. */
  readonly 'local.retention.ms': number
  /** Bytes of segments in tiered storage that are kept here as well. Only the default: there is none. Default: -2. */
  readonly 'local.retention.bytes': number
  /** Whether share groups may use this topic for dead letters. Only the default: there are none. Default: false. */
  readonly 'errors.deadletterqueue.group.enable': boolean
}

/** What `config` of a topic definition takes; lists also as text with commas. */
export type TopicConfigOptions = OptionsOf<TopicConfig>
