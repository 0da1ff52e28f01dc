// Broker configs about topics and their logs: what a new topic gets, who may delete
// one, how old records and compacted ones are looked for.
// Data only; names, types and defaults are Kafka's.

import type { Settings } from '../config-def.ts'
import type { BrokerLogConfig } from './broker-config.ts'

const IN_MEMORY = 'In memory a broker compacts a little a turn, whatever this says.'

export const LOG_SETTINGS: Settings<BrokerLogConfig> = {
  'num.partitions': {
    type: 'int',
    min: 1,
    max: 262_144,
    default: 1,
    unit: 'partitions',
    takesEffect: 'at open',
    support: 'yes',
    doc: 'Partitions of a new topic whose definition does not say how many.',
  },
  'default.replication.factor': {
    type: 'int',
    min: 1,
    default: 1,
    unit: 'replicas',
    takesEffect: 'at open',
    support: 'refused: replication is not there yet',
    doc: 'Replicas of a new topic whose definition does not say how many. Only 1 so far.',
  },
  'auto.create.topics.enable': {
    type: 'boolean',
    default: true,
    takesEffect: 'at open',
    support: 'accepted',
    doc: 'Whether a client that names a missing topic makes it. No effect: await millrace.topic(…) makes a topic, nothing else does.',
  },
  'delete.topic.enable': {
    type: 'boolean',
    default: true,
    takesEffect: 'at open',
    support: 'yes',
    doc: 'Whether topics may be deleted: TOPIC_DELETION_DISABLED otherwise.',
  },
  'log.retention.check.interval.ms': {
    type: 'long',
    min: 1,
    default: 300_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'yes',
    doc: 'How often segment files are looked through for those that may go, in ms. In memory a log knows when its oldest segment is due.',
  },
  'num.recovery.threads.per.data.dir': {
    type: 'int',
    min: 1,
    default: 2,
    takesEffect: 'at open',
    support: 'yes',
    doc: 'Threads that recover partitions when a data directory is opened that was not closed, where much is to be read for that.',
  },
  'log.cleaner.enable': {
    type: 'boolean',
    default: true,
    takesEffect: 'at open',
    support: "refused: compacted topics would grow without end; leave 'compact' out of cleanup.policy instead",
    doc: "Whether logs are compacted. Only true: a topic that is not to be compacted has no 'compact' in its cleanup.policy.",
  },
  'log.cleaner.threads': {
    type: 'int',
    min: 0,
    default: 1,
    takesEffect: 'immediately',
    support: 'yes',
    doc: `Threads that compact segment files, started when there is something to compact; 0: files are not compacted. ${IN_MEMORY}`,
  },
  'log.cleaner.backoff.ms': {
    type: 'long',
    min: 0,
    default: 15_000,
    unit: 'ms',
    takesEffect: 'immediately',
    support: 'yes',
    doc: `How long segment files are left alone when none were to be compacted, in ms. ${IN_MEMORY}`,
  },
  'log.cleaner.dedupe.buffer.size': {
    type: 'long',
    default: 134_217_728,
    unit: 'bytes',
    takesEffect: 'immediately',
    support: 'yes',
    doc: `Memory for the keys of segment files that are compacted, shared by the threads; more keys take another pass. ${IN_MEMORY}`,
  },
  'log.cleaner.io.buffer.size': {
    type: 'int',
    min: 0,
    default: 524_288,
    unit: 'bytes',
    takesEffect: 'immediately',
    support: 'accepted',
    doc: 'Memory that compaction reads and writes through. No effect: it is as large as a batch needs.',
  },
  'log.cleaner.io.buffer.load.factor': {
    type: 'double',
    default: 0.9,
    takesEffect: 'immediately',
    support: 'accepted',
    doc: 'How full the memory for keys may get, as a share. No effect: it is as full as is fast.',
  },
  'log.cleaner.io.max.bytes.per.second': {
    type: 'double',
    default: Number.MAX_VALUE,
    takesEffect: 'immediately',
    support: 'yes',
    doc: `Bytes a second that compaction reads from and writes to segment files at most, over the time: after a pass that was faster none begins for a while. ${IN_MEMORY}`,
  },
}
