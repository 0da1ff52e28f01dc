// The broker configs that topics take their defaults from, and which topic config
// each one is the default of (Kafka: ServerTopicConfigSynonyms).
//
// Data only. Holds: type, range and how much of it exists are the topic config's own,
// so nothing is said twice; what a topic does not set, the first name of its list
// that is set decides, and the default otherwise.

import type { Setting, Settings } from '../config-def.ts'
import type { BrokerConfig, BrokerTopicDefaults } from './broker-config.ts'
import { TOPIC_CONFIG } from './topic-config-table.ts'
import type { TopicConfig } from './topic-config.ts'

/** A broker config that a topic config comes from. */
export interface TopicDefaultSource {
  readonly name: keyof BrokerConfig
  /** Milliseconds in one of its unit, where that is not ms. */
  readonly unitMs?: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** By topic config, the first to be asked first. Topic configs that are missing here have no broker's name. */
export const TOPIC_DEFAULT_SOURCES: { readonly [Name in keyof TopicConfig]?: readonly TopicDefaultSource[] } = {
  'retention.ms': [
    { name: 'log.retention.ms' },
    { name: 'log.retention.minutes', unitMs: MINUTE_MS },
    { name: 'log.retention.hours', unitMs: HOUR_MS },
  ],
  'retention.bytes': [{ name: 'log.retention.bytes' }],
  'max.message.bytes': [{ name: 'message.max.bytes' }],
  'millrace.durability': [{ name: 'millrace.durability' }],
  'cleanup.policy': [{ name: 'log.cleanup.policy' }],
  'delete.retention.ms': [{ name: 'log.cleaner.delete.retention.ms' }],
  'min.compaction.lag.ms': [{ name: 'log.cleaner.min.compaction.lag.ms' }],
  'max.compaction.lag.ms': [{ name: 'log.cleaner.max.compaction.lag.ms' }],
  'min.cleanable.dirty.ratio': [{ name: 'log.cleaner.min.cleanable.ratio' }],
  'segment.bytes': [{ name: 'log.segment.bytes' }],
  'segment.ms': [{ name: 'log.roll.ms' }, { name: 'log.roll.hours', unitMs: HOUR_MS }],
  'segment.jitter.ms': [{ name: 'log.roll.jitter.ms' }, { name: 'log.roll.jitter.hours', unitMs: HOUR_MS }],
  'segment.index.bytes': [{ name: 'log.index.size.max.bytes' }],
  'index.interval.bytes': [{ name: 'log.index.interval.bytes' }],
  'file.delete.delay.ms': [{ name: 'log.segment.delete.delay.ms' }],
  preallocate: [{ name: 'log.preallocate' }],
  'flush.messages': [{ name: 'log.flush.interval.messages' }],
  'flush.ms': [{ name: 'log.flush.interval.ms' }, { name: 'log.flush.scheduler.interval.ms' }],
  'message.timestamp.type': [{ name: 'log.message.timestamp.type' }],
  'message.timestamp.before.max.ms': [{ name: 'log.message.timestamp.before.max.ms' }],
  'message.timestamp.after.max.ms': [{ name: 'log.message.timestamp.after.max.ms' }],
  'min.insync.replicas': [{ name: 'min.insync.replicas' }],
  'unclean.leader.election.enable': [{ name: 'unclean.leader.election.enable' }],
  'compression.type': [{ name: 'compression.type' }],
  'compression.gzip.level': [{ name: 'compression.gzip.level' }],
  'compression.lz4.level': [{ name: 'compression.lz4.level' }],
  'compression.zstd.level': [{ name: 'compression.zstd.level' }],
  'local.retention.ms': [{ name: 'log.local.retention.ms' }],
  'local.retention.bytes': [{ name: 'log.local.retention.bytes' }],
}

const TOPIC = TOPIC_CONFIG.settings

export const TOPIC_DEFAULT_SETTINGS: Settings<BrokerTopicDefaults> = {
  'log.retention.ms': unsetDefaultOf('retention.ms', 'log.retention.minutes'),
  'log.retention.minutes': {
    ...unsetDefaultOf('retention.ms', 'log.retention.hours'),
    type: 'int',
    unit: 'minutes',
    takesEffect: 'at open',
    doc: 'The retention.ms of topics that do not set it, in minutes. Where this is not set either, log.retention.hours decides.',
  },
  'log.retention.hours': {
    ...defaultOf('retention.ms'),
    type: 'int',
    default: 168,
    unit: 'hours',
    takesEffect: 'at open',
    doc: 'The retention.ms of topics that do not set it, in hours.',
  },
  'log.retention.bytes': {
    ...defaultOf('retention.bytes'),
    doc: 'The retention.bytes of topics that do not set it. Here -1 pins no topic: only its own retention.bytes does.',
  },
  'message.max.bytes': defaultOf('max.message.bytes'),
  'millrace.durability': defaultOf('millrace.durability'),
  'log.cleanup.policy': defaultOf('cleanup.policy'),
  'log.cleaner.delete.retention.ms': defaultOf('delete.retention.ms'),
  'log.cleaner.min.compaction.lag.ms': defaultOf('min.compaction.lag.ms'),
  'log.cleaner.max.compaction.lag.ms': defaultOf('max.compaction.lag.ms'),
  'log.cleaner.min.cleanable.ratio': defaultOf('min.cleanable.dirty.ratio'),
  'log.segment.bytes': defaultOf('segment.bytes'),
  'log.roll.ms': unsetDefaultOf('segment.ms', 'log.roll.hours'),
  'log.roll.hours': {
    ...defaultOf('segment.ms'),
    type: 'int',
    default: 168,
    unit: 'hours',
    takesEffect: 'at open',
    doc: 'The segment.ms of topics that do not set it, in hours.',
  },
  'log.roll.jitter.ms': unsetDefaultOf('segment.jitter.ms', 'log.roll.jitter.hours'),
  'log.roll.jitter.hours': {
    ...defaultOf('segment.jitter.ms'),
    type: 'int',
    unit: 'hours',
    takesEffect: 'at open',
    doc: 'The segment.jitter.ms of topics that do not set it, in hours.',
  },
  'log.index.size.max.bytes': defaultOf('segment.index.bytes'),
  'log.index.interval.bytes': defaultOf('index.interval.bytes'),
  'log.segment.delete.delay.ms': defaultOf('file.delete.delay.ms'),
  'log.preallocate': defaultOf('preallocate'),
  'log.flush.interval.messages': defaultOf('flush.messages'),
  'log.flush.interval.ms': unsetDefaultOf('flush.ms', 'log.flush.scheduler.interval.ms'),
  'log.flush.scheduler.interval.ms': {
    ...defaultOf('flush.ms'),
    takesEffect: 'at open',
    doc: 'How often Kafka looks whether a log is to be synced, in ms; the flush.ms of topics where nothing else is set.',
  },
  'log.message.timestamp.type': defaultOf('message.timestamp.type'),
  'log.message.timestamp.before.max.ms': defaultOf('message.timestamp.before.max.ms'),
  'log.message.timestamp.after.max.ms': defaultOf('message.timestamp.after.max.ms'),
  'min.insync.replicas': defaultOf('min.insync.replicas'),
  'unclean.leader.election.enable': defaultOf('unclean.leader.election.enable'),
  'compression.type': defaultOf('compression.type'),
  'compression.gzip.level': defaultOf('compression.gzip.level'),
  'compression.lz4.level': defaultOf('compression.lz4.level'),
  'compression.zstd.level': defaultOf('compression.zstd.level'),
  'log.local.retention.ms': defaultOf('local.retention.ms'),
  'log.local.retention.bytes': defaultOf('local.retention.bytes'),
}

function defaultOf<Name extends keyof TopicConfig>(name: Name): Setting<TopicConfig[Name]> {
  const setting = { ...TOPIC[name], doc: `The ${name} of topics that do not set it.` }
  return setting as unknown as Setting<TopicConfig[Name]>
}

type TopicTime = 'retention.ms' | 'segment.ms' | 'segment.jitter.ms' | 'flush.ms'

/** One that has no value of its own until it is given: another name decides then. */
function unsetDefaultOf(name: TopicTime, then: keyof BrokerConfig): Setting<number | undefined> {
  const doc = `The ${name} of topics that do not set it, in ms. Where this is not set either, ${then} decides.`
  // What the topic's own default says is no other value than that of the name that decides.
  return { ...TOPIC[name], default: undefined, alsoAllowed: [TOPIC[name].default], doc } as Setting<number | undefined>
}
