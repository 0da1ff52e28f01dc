// The ranges of producer and consumer options beside Kafka's own.

import { expect, test } from 'vitest'
import { CONSUMER_CONFIG } from '../../src/client/consumer/consumer-config.ts'
import { PRODUCER_CONFIG } from '../../src/client/producer/producer-config.ts'
import { BATCH_BYTES_MAX } from '../../src/config/topic-config-table.ts'
import { INT_MAX, isNumber, settingsOf } from '../../src/config-def.ts'
import type { Setting } from '../../src/config-def.ts'
import { kafkaRanges, rangeOf } from '../config/kafka-configs.ts'

// Ours, on purpose: timers take 31 bits of milliseconds, and a batch must fit one extent.
const DEVIATIONS = new Map([
  ['linger.ms', { min: 0, max: INT_MAX }],
  ['max.block.ms', { min: 0, max: INT_MAX }],
  ['delivery.timeout.ms', { min: 0, max: INT_MAX }],
  ['partitioner.availability.timeout.ms', { min: 0, max: INT_MAX }],
  ['retry.backoff.ms', { min: 0, max: INT_MAX }],
  ['retry.backoff.max.ms', { min: 0, max: INT_MAX }],
  ['batch.size', { min: 0, max: BATCH_BYTES_MAX }],
  ['max.request.size', { min: 0, max: BATCH_BYTES_MAX }],
])

const settings: [string, Setting<unknown>, string | null][] = []
for (const [table, ranges] of [
  [settingsOf(PRODUCER_CONFIG), kafkaRanges('producer')],
  [settingsOf(CONSUMER_CONFIG), kafkaRanges('consumer')],
] as const) {
  for (const [, setting] of table) {
    const { kafkaName } = setting
    if (kafkaName !== undefined && ranges.has(kafkaName)) settings.push([kafkaName, setting, ranges.get(kafkaName)!])
  }
}

test('there are some', () => {
  expect(settings.length).toBeGreaterThan(8)
})

test.each(settings)('%s: range', (kafkaName, setting, valid) => {
  if (isNumber(setting)) {
    expect({ min: setting.min, max: setting.max }).toEqual(DEVIATIONS.get(kafkaName) ?? rangeOf(valid))
  } else if (setting.type === 'one of' && valid?.includes('[') === true) {
    const values = valid.replaceAll(/[[\]]/g, '').split(', ')
    for (const value of setting.values) expect(values).toContain(String(value))
  }
})
