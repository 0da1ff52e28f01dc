// The configs of brokers, in Kafka's dotted names: what `openMillrace({ config })`
// takes. Types only. Written by test/config/generate-broker-config.ts from the tables
// beside this file: change those.

import type { OptionsOf } from '../config-def.ts'
import type { BrokerConfigWithoutEffect } from './broker-config-answers.ts'

/** Topics and their logs. */
export interface BrokerLogConfig {
  /** Partitions of a new topic whose definition does not say how many. Default: 1. */
  readonly 'num.partitions': number
  /** Replicas of a new topic whose definition does not say how many. Only 1 so far. Default: 1. */
  readonly 'default.replication.factor': number
  /**
   * Whether a client that names a missing topic makes it. No effect: await millrace.topic(…) makes a topic, nothing else does. Default:
   * true.
   */
  readonly 'auto.create.topics.enable': boolean
  /** Whether topics may be deleted: TOPIC_DELETION_DISABLED otherwise. Default: true. */
  readonly 'delete.topic.enable': boolean
  /**
   * How often segment files are looked through for those that may go, in ms. In memory a log knows when its oldest segment is due. Default:
   * 300000.
   */
  readonly 'log.retention.check.interval.ms': number
  /** Threads that recover partitions when a data directory is opened that was not closed, where much is to be read for that. Default: 2. */
  readonly 'num.recovery.threads.per.data.dir': number
  /** Whether logs are compacted. Only true: a topic that is not to be compacted has no 'compact' in its cleanup.policy. Default: true. */
  readonly 'log.cleaner.enable': boolean
  /**
   * Threads that compact segment files, started when there is something to compact; 0: files are not compacted. In memory a broker compacts
   * a little a turn, whatever this says. Default: 1.
   */
  readonly 'log.cleaner.threads': number
  /**
   * How long segment files are left alone when none were to be compacted, in ms. In memory a broker compacts a little a turn, whatever this
   * says. Default: 15000.
   */
  readonly 'log.cleaner.backoff.ms': number
  /**
   * Memory for the keys of segment files that are compacted, shared by the threads; more keys take another pass. In memory a broker
   * compacts a little a turn, whatever this says. Default: 134217728.
   */
  readonly 'log.cleaner.dedupe.buffer.size': number
  /** Memory that compaction reads and writes through. No effect: it is as large as a batch needs. Default: 524288. */
  readonly 'log.cleaner.io.buffer.size': number
  /** How full the memory for keys may get, as a share. No effect: it is as full as is fast. Default: 0.9. */
  readonly 'log.cleaner.io.buffer.load.factor': number
  /**
   * Bytes a second that compaction reads from and writes to segment files at most, over the time: after a pass that was faster none begins
   * for a while. In memory a broker compacts a little a turn, whatever this says. Default: 1.7976931348623157e+308.
   */
  readonly 'log.cleaner.io.max.bytes.per.second': number
}

/** What topics have that do not say it themselves. */
export interface BrokerTopicDefaults {
  /**
   * The retention.ms of topics that do not set it, in ms. Where this is not set either, log.retention.minutes decides. Default: undefined.
   */
  readonly 'log.retention.ms': number | undefined
  /**
   * The retention.ms of topics that do not set it, in minutes. Where this is not set either, log.retention.hours decides. Default:
   * undefined.
   */
  readonly 'log.retention.minutes': number | undefined
  /** The retention.ms of topics that do not set it, in hours. Default: 168. */
  readonly 'log.retention.hours': number
  /** The retention.bytes of topics that do not set it. Here -1 pins no topic: only its own retention.bytes does. Default: -1. */
  readonly 'log.retention.bytes': number
  /** The max.message.bytes of topics that do not set it. Default: 1048588. */
  readonly 'message.max.bytes': number
  /** The millrace.durability of topics that do not set it. Default: 'memory'. */
  readonly 'millrace.durability': 'memory' | 'cache' | 'disk'
  /** The cleanup.policy of topics that do not set it. Default: ['delete']. */
  readonly 'log.cleanup.policy': readonly ('delete' | 'compact')[]
  /** The delete.retention.ms of topics that do not set it. Default: 86400000. */
  readonly 'log.cleaner.delete.retention.ms': number
  /** The min.compaction.lag.ms of topics that do not set it. Default: 0. */
  readonly 'log.cleaner.min.compaction.lag.ms': number
  /** The max.compaction.lag.ms of topics that do not set it. Default: 9007199254740991. */
  readonly 'log.cleaner.max.compaction.lag.ms': number
  /** The min.cleanable.dirty.ratio of topics that do not set it. Default: 0.5. */
  readonly 'log.cleaner.min.cleanable.ratio': number
  /** The segment.bytes of topics that do not set it. Default: 1073741824. */
  readonly 'log.segment.bytes': number
  /** The segment.ms of topics that do not set it, in ms. Where this is not set either, log.roll.hours decides. Default: undefined. */
  readonly 'log.roll.ms': number | undefined
  /** The segment.ms of topics that do not set it, in hours. Default: 168. */
  readonly 'log.roll.hours': number
  /**
   * The segment.jitter.ms of topics that do not set it, in ms. Where this is not set either, log.roll.jitter.hours decides. Default:
   * undefined.
   */
  readonly 'log.roll.jitter.ms': number | undefined
  /** The segment.jitter.ms of topics that do not set it, in hours. Default: 0. */
  readonly 'log.roll.jitter.hours': number
  /** The segment.index.bytes of topics that do not set it. Default: 10485760. */
  readonly 'log.index.size.max.bytes': number
  /** The index.interval.bytes of topics that do not set it. Default: 4096. */
  readonly 'log.index.interval.bytes': number
  /** The file.delete.delay.ms of topics that do not set it. Default: 60000. */
  readonly 'log.segment.delete.delay.ms': number
  /** The preallocate of topics that do not set it. Default: false. */
  readonly 'log.preallocate': boolean
  /** The flush.messages of topics that do not set it. Default: 9007199254740991. */
  readonly 'log.flush.interval.messages': number
  /**
   * The flush.ms of topics that do not set it, in ms. Where this is not set either, log.flush.scheduler.interval.ms decides. Default:
   * undefined.
   */
  readonly 'log.flush.interval.ms': number | undefined
  /**
   * How often Kafka looks whether a log is to be synced, in ms; the flush.ms of topics where nothing else is set. Default:
   * 9007199254740991.
   */
  readonly 'log.flush.scheduler.interval.ms': number
  /** The message.timestamp.type of topics that do not set it. Default: 'CreateTime'. */
  readonly 'log.message.timestamp.type': 'CreateTime' | 'LogAppendTime'
  /** The message.timestamp.before.max.ms of topics that do not set it. Default: 9007199254740991. */
  readonly 'log.message.timestamp.before.max.ms': number
  /** The message.timestamp.after.max.ms of topics that do not set it. Default: 3600000. */
  readonly 'log.message.timestamp.after.max.ms': number
  /** The min.insync.replicas of topics that do not set it. Default: 1. */
  readonly 'min.insync.replicas': number
  /** The unclean.leader.election.enable of topics that do not set it. Default: false. */
  readonly 'unclean.leader.election.enable': boolean
  /** The compression.type of topics that do not set it. Default: 'producer'. */
  readonly 'compression.type': 'producer' | 'uncompressed' | 'zstd' | 'lz4' | 'snappy' | 'gzip'
  /** The compression.gzip.level of topics that do not set it. Default: -1. */
  readonly 'compression.gzip.level': number
  /** The compression.lz4.level of topics that do not set it. Default: 9. */
  readonly 'compression.lz4.level': number
  /** The compression.zstd.level of topics that do not set it. Default: 3. */
  readonly 'compression.zstd.level': number
  /** The local.retention.ms of topics that do not set it. Default: -2. */
  readonly 'log.local.retention.ms': number
  /** The local.retention.bytes of topics that do not set it. Default: -2. */
  readonly 'log.local.retention.bytes': number
}

/** The metadata log, replicas, leaders. */
export interface BrokerClusterConfig {
  /**
   * Size at which a segment of the metadata log is full. No effect: a snapshot is made after each MiB of records, and the log begins behind
   * it. Default: 1073741824.
   */
  readonly 'metadata.log.segment.bytes': number
  /**
   * Age at which a segment of the metadata log is closed, in ms. No effect: a snapshot is made after each MiB of records, and the log
   * begins behind it. Default: 604800000.
   */
  readonly 'metadata.log.segment.ms': number
  /**
   * Bytes of metadata records after which a snapshot is made. No effect: a snapshot is made after each MiB of records, and the log begins
   * behind it. Default: 20971520.
   */
  readonly 'metadata.log.max.record.bytes.between.snapshots': number
  /**
   * Time after which a snapshot of the metadata is made, in ms. No effect: a snapshot is made after each MiB of records, and the log begins
   * behind it. Default: 3600000.
   */
  readonly 'metadata.log.max.snapshot.interval.ms': number
  /**
   * Bytes of metadata log and snapshots beyond which the oldest go. No effect: a snapshot is made after each MiB of records, and the log
   * begins behind it. Default: 104857600.
   */
  readonly 'metadata.max.retention.bytes': number
  /**
   * Age at which metadata log and snapshots go, in ms. No effect: a snapshot is made after each MiB of records, and the log begins behind
   * it. Default: 604800000.
   */
  readonly 'metadata.max.retention.ms': number
  /** How long a replica may lag before it is no longer in sync, in ms. No effect while a partition has one replica. Default: 30000. */
  readonly 'replica.lag.time.max.ms': number
  /** Whether partitions go back to the leaders that they would rather have. No effect while a partition has one replica. Default: true. */
  readonly 'auto.leader.rebalance.enable': boolean
  /**
   * How often it is looked whether partitions have the leaders that they would rather have, in seconds. No effect while a partition has one
   * replica. Default: 300.
   */
  readonly 'leader.imbalance.check.interval.seconds': number
}

/** Producers and transactions. */
export interface BrokerTransactionConfig {
  /** How long a partition remembers an idempotent producer that writes nothing, in ms. Default: 86400000. */
  readonly 'producer.id.expiration.ms': number
  /** How often producers are looked through for those to be forgotten, in ms. Default: 600000. */
  readonly 'producer.id.expiration.check.interval.ms': number
  /** Longest timeout that a transactional producer may ask for, in ms. Only the default before there are transactions. Default: 900000. */
  readonly 'transaction.max.timeout.ms': number
  /** How long an unused transactional id is remembered, in ms. Only the default before there are transactions. Default: 604800000. */
  readonly 'transactional.id.expiration.ms': number
  /**
   * How often transactions are looked through for those that are over time, in ms. Only the default before there are transactions. Default:
   * 10000.
   */
  readonly 'transaction.abort.timed.out.transaction.cleanup.interval.ms': number
  /**
   * How often transactional ids are looked through for those to be forgotten, in ms. Only the default before there are transactions.
   * Default: 3600000.
   */
  readonly 'transaction.remove.expired.transaction.cleanup.interval.ms': number
  /**
   * Whether a partition asks if a transaction is open before it takes its first batch. Only the default before there are transactions.
   * Default: true.
   */
  readonly 'transaction.partition.verification.enable': boolean
  /**
   * Whether transactions may wait for ever for the commit of another system. Only the default before there are transactions. Default:
   * false.
   */
  readonly 'transaction.two.phase.commit.enable': boolean
  /** Partitions of __transaction_state. Only the default before there are transactions. Default: 50. */
  readonly 'transaction.state.log.num.partitions': number
  /** Replicas of __transaction_state. Only the default before there are transactions. Default: 3. */
  readonly 'transaction.state.log.replication.factor': number
  /** In-sync replicas without which __transaction_state takes no records. Only the default before there are transactions. Default: 2. */
  readonly 'transaction.state.log.min.isr': number
  /** Size at which a segment of __transaction_state is full. Only the default before there are transactions. Default: 104857600. */
  readonly 'transaction.state.log.segment.bytes': number
}

/** Consumer groups and their offsets. */
export interface BrokerGroupConfig {
  /** Shortest session timeout that a classic member may ask for, in ms. Default: 6000. */
  readonly 'group.min.session.timeout.ms': number
  /** Longest session timeout that a classic member may ask for, in ms. Default: 1800000. */
  readonly 'group.max.session.timeout.ms': number
  /**
   * How long an empty classic group waits for more members before its first rebalance, in ms. Only the default before there is a listener.
   * Default: 3000.
   */
  readonly 'group.initial.rebalance.delay.ms': number
  /** Members that a classic group takes. Default: 2147483647. */
  readonly 'group.max.size': number
  /** Which kinds of groups there may be. Only the default. Default: ['classic', 'consumer', 'streams']. */
  readonly 'group.coordinator.rebalance.protocols': readonly ('consumer' | 'classic' | 'share' | 'streams')[]
  /** Time without a heartbeat after which a member is out of its group, in ms. Default: 45000. */
  readonly 'group.consumer.session.timeout.ms': number
  /**
   * Shortest session timeout that a group may be given, in ms. Only the default before groups have configs of their own. Default: 45000.
   */
  readonly 'group.consumer.min.session.timeout.ms': number
  /** Longest session timeout that a group may be given, in ms. Only the default before groups have configs of their own. Default: 60000. */
  readonly 'group.consumer.max.session.timeout.ms': number
  /** How often members send heartbeats, in ms. Default: 5000. */
  readonly 'group.consumer.heartbeat.interval.ms': number
  /**
   * Shortest heartbeat interval that a group may be given, in ms. Only the default before groups have configs of their own. Default: 5000.
   */
  readonly 'group.consumer.min.heartbeat.interval.ms': number
  /**
   * Longest heartbeat interval that a group may be given, in ms. Only the default before groups have configs of their own. Default: 15000.
   */
  readonly 'group.consumer.max.heartbeat.interval.ms': number
  /** Members that a group takes. Default: 2147483647. */
  readonly 'group.consumer.max.size': number
  /** Ways to assign partitions to members, the default one first. Default: ['uniform', 'range']. */
  readonly 'group.consumer.assignors': readonly string[]
  /** Time between two new assignments of a group at least, in ms. Only the default before there is a listener. Default: 1000. */
  readonly 'group.consumer.assignment.interval.ms': number
  /**
   * Shortest assignment interval that a group may be given, in ms. Only the default before groups have configs of their own. Default: 0.
   */
  readonly 'group.consumer.min.assignment.interval.ms': number
  /**
   * Longest assignment interval that a group may be given, in ms. Only the default before groups have configs of their own. Default: 15000.
   */
  readonly 'group.consumer.max.assignment.interval.ms': number
  /**
   * How often the topics that match a subscribed pattern are looked up again, in ms. Only the default: patterns are matched again at each
   * change of topics. Default: 600000.
   */
  readonly 'group.consumer.regex.refresh.interval.ms': number
  /** Which kind of group, classic or consumer, may become the other. Default: 'bidirectional'. */
  readonly 'group.consumer.migration.policy': 'disabled' | 'downgrade' | 'upgrade' | 'bidirectional'
  /** Longest text that may be committed with an offset. Default: 4096. */
  readonly 'offset.metadata.max.bytes': number
  /** How long a commit waits for the replicas of __consumer_offsets, in ms. Only the default before there is replication. Default: 5000. */
  readonly 'offsets.commit.timeout.ms': number
  /** How long the offsets of an empty group are kept, in minutes. Default: 10080. */
  readonly 'offsets.retention.minutes': number
  /** How often offsets are looked through for those that may go, in ms. Default: 600000. */
  readonly 'offsets.retention.check.interval.ms': number
  /** Partitions of __consumer_offsets. Default: 50. */
  readonly 'offsets.topic.num.partitions': number
  /** Replicas of __consumer_offsets. Only the default, or 1, before there is replication. Default: 3. */
  readonly 'offsets.topic.replication.factor': number
  /** Size at which a segment of __consumer_offsets is full. Default: 104857600. */
  readonly 'offsets.topic.segment.bytes': number
}

/** All configs of a broker. Those that say "only" refuse anything else. */
export interface BrokerConfig
  extends BrokerLogConfig,
    BrokerTopicDefaults,
    BrokerClusterConfig,
    BrokerTransactionConfig,
    BrokerGroupConfig {}

/**
 * What `config` of openMillrace takes; lists also as text with commas. Kafka's configs that only tune what is not here are taken too,
 * and have no effect.
 */
export type BrokerConfigOptions = OptionsOf<BrokerConfig> & { readonly [Name in BrokerConfigWithoutEffect]?: unknown }
