import { expect, test } from 'vitest'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import { LONG_MAX } from '../../src/config-def.ts'
import { LOG_CONFIG_DEFAULT, logConfigOf, retentionKindOf } from '../../src/log/log-config.ts'
import { DURABILITY_MEMORY } from '../../src/log/log-memory-layout.ts'
import { RETENTION_DEFAULT, RETENTION_INTERNAL, RETENTION_PINNED } from '../../src/log/log-memory-layout.ts'

test('defaults are those of the table of topic configs', () => {
  const { settings } = TOPIC_CONFIG
  expect(LOG_CONFIG_DEFAULT).toEqual({
    isDeleted: settings['cleanup.policy'].default.includes('delete'),
    isCompacted: settings['cleanup.policy'].default.includes('compact'),
    retentionMs: settings['retention.ms'].default,
    retentionBytes: settings['retention.bytes'].default,
    isPinned: false,
    segmentMs: settings['segment.ms'].default,
    deleteRetentionMs: settings['delete.retention.ms'].default,
    minCompactionLagMs: settings['min.compaction.lag.ms'].default,
    maxCompactionLagMs: settings['max.compaction.lag.ms'].default,
    minCleanableDirtyRatio: settings['min.cleanable.dirty.ratio'].default,
    isLogAppendTime: settings['message.timestamp.type'].default === 'LogAppendTime',
    timestampBeforeMaxMs: settings['message.timestamp.before.max.ms'].default,
    timestampAfterMaxMs: settings['message.timestamp.after.max.ms'].default,
    maxMessageBytes: settings['max.message.bytes'].default,
    durability: DURABILITY_MEMORY,
  })
})

test('what was set is read from its text', () => {
  expect(
    logConfigOf({
      'cleanup.policy': 'compact, delete',
      'retention.ms': '-1',
      'retention.bytes': '1000',
      'segment.ms': '2',
      'delete.retention.ms': '3',
      'min.compaction.lag.ms': '4',
      'max.compaction.lag.ms': '9223372036854775807',
      'min.cleanable.dirty.ratio': '0.25',
      'message.timestamp.type': 'LogAppendTime',
      'message.timestamp.before.max.ms': '6',
      'message.timestamp.after.max.ms': '7',
      'max.message.bytes': '5',
      'compression.type': 'producer',
    }),
  ).toEqual({
    isDeleted: true,
    isCompacted: true,
    retentionMs: -1,
    retentionBytes: 1_000,
    isPinned: false,
    segmentMs: 2,
    deleteRetentionMs: 3,
    minCompactionLagMs: 4,
    maxCompactionLagMs: LONG_MAX,
    minCleanableDirtyRatio: 0.25,
    isLogAppendTime: true,
    timestampBeforeMaxMs: 6,
    timestampAfterMaxMs: 7,
    maxMessageBytes: 5,
    durability: DURABILITY_MEMORY,
  })
})

test.each([
  ['t', {}, RETENTION_DEFAULT],
  ['t', { 'retention.bytes': '-1' }, RETENTION_PINNED],
  ['t', { 'retention.bytes': '5' }, RETENTION_DEFAULT],
  ['t', { 'cleanup.policy': 'compact' }, RETENTION_PINNED],
  ['t', { 'cleanup.policy': '' }, RETENTION_PINNED],
  ['t', { 'cleanup.policy': 'compact,delete' }, RETENTION_DEFAULT],
  ['__t', { 'cleanup.policy': 'compact' }, RETENTION_INTERNAL],
  ['__t', {}, RETENTION_INTERNAL],
] as const)('of topic %s with %o memory retention may take what it may', (topic, text, kind) => {
  expect(retentionKindOf(topic, logConfigOf(text))).toBe(kind)
})

test('what a topic does not set comes from the brokers', () => {
  const broker = { 'log.retention.hours': 2, 'message.max.bytes': 5_000, 'log.retention.bytes': -1 }
  expect(logConfigOf({}, broker)).toMatchObject({ retentionMs: 7_200_000, maxMessageBytes: 5_000, retentionBytes: -1, isPinned: false })
  expect(logConfigOf({ 'retention.ms': '1', 'retention.bytes': '-1' }, broker)).toMatchObject({ retentionMs: 1, isPinned: true })
})
