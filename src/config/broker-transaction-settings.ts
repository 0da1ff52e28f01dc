// Broker configs about what brokers know of producers: ids, sequences, transactions.
// Data only; names, types and defaults are Kafka's.

import type { Settings } from '../config-def.ts'
import type { BrokerTransactionConfig } from './broker-config.ts'

const NOT_YET = 'refused: transactions are not there yet'

export const TRANSACTION_SETTINGS: Settings<BrokerTransactionConfig> = {
  'producer.id.expiration.ms': {
    type: 'int',
    min: 1,
    default: 86_400_000,
    unit: 'ms',
    takesEffect: 'immediately',
    support: 'yes',
    doc: 'How long a partition remembers an idempotent producer that writes nothing, in ms.',
  },
  'producer.id.expiration.check.interval.ms': {
    type: 'int',
    min: 1,
    default: 600_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: 'yes',
    doc: 'How often producers are looked through for those to be forgotten, in ms.',
  },
  'transaction.max.timeout.ms': {
    type: 'int',
    min: 1,
    default: 900_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'Longest timeout that a transactional producer may ask for, in ms. Only the default before there are transactions.',
  },
  'transactional.id.expiration.ms': {
    type: 'int',
    min: 1,
    default: 604_800_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'How long an unused transactional id is remembered, in ms. Only the default before there are transactions.',
  },
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': {
    type: 'int',
    min: 1,
    default: 10_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'How often transactions are looked through for those that are over time, in ms. Only the default before there are transactions.',
  },
  'transaction.remove.expired.transaction.cleanup.interval.ms': {
    type: 'int',
    min: 1,
    default: 3_600_000,
    unit: 'ms',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'How often transactional ids are looked through for those to be forgotten, in ms. Only the default before there are transactions.',
  },
  'transaction.partition.verification.enable': {
    type: 'boolean',
    default: true,
    takesEffect: 'immediately',
    support: NOT_YET,
    doc: 'Whether a partition asks if a transaction is open before it takes its first batch. Only the default before there are transactions.',
  },
  'transaction.two.phase.commit.enable': {
    type: 'boolean',
    default: false,
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'Whether transactions may wait for ever for the commit of another system. Only the default before there are transactions.',
  },
  'transaction.state.log.num.partitions': {
    type: 'int',
    min: 1,
    default: 50,
    unit: 'partitions',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'Partitions of __transaction_state. Only the default before there are transactions.',
  },
  'transaction.state.log.replication.factor': {
    type: 'short',
    min: 1,
    default: 3,
    unit: 'replicas',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'Replicas of __transaction_state. Only the default before there are transactions.',
  },
  'transaction.state.log.min.isr': {
    type: 'int',
    min: 1,
    default: 2,
    unit: 'replicas',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'In-sync replicas without which __transaction_state takes no records. Only the default before there are transactions.',
  },
  'transaction.state.log.segment.bytes': {
    type: 'int',
    min: 1,
    default: 104_857_600,
    unit: 'bytes',
    takesEffect: 'at open',
    support: NOT_YET,
    doc: 'Size at which a segment of __transaction_state is full. Only the default before there are transactions.',
  },
}
