// The sentence of a setting stands twice: in its table, for messages and reference
// pages, and as the docstring that an editor shows. They must say the same.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CONSUMER_CONFIG } from '../../src/client/consumer/consumer-config.ts'
import { MILLRACE_CONFIG } from '../../src/client/millrace-config.ts'
import { PROCESS_CONFIG, RETRY_CONFIG } from '../../src/client/consumer/process-config.ts'
import { PRODUCER_CONFIG } from '../../src/client/producer/producer-config.ts'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import { settingsOf } from '../../src/config-def.ts'
import type { Setting } from '../../src/config-def.ts'
import { FROM_TOPIC_CONFIG } from '../../src/rx/from-topic-config.ts'
import { TEST_MILLRACE_CONFIG } from '../../src/testing/test-millrace-config.ts'
import { READ_STREAM_CONFIG, SEND_ALL_CONFIG, WRITE_STREAM_CONFIG } from '../../src/streams/stream-options.ts'

test.each<[string, [string, Setting<unknown>][]]>([
  ['../config/topic-config.ts', settingsOf(TOPIC_CONFIG)],
  ['millrace-config.ts', settingsOf(MILLRACE_CONFIG)],
  ['producer/producer-config.ts', settingsOf(PRODUCER_CONFIG)],
  ['consumer/consumer-config.ts', settingsOf(CONSUMER_CONFIG)],
  ['consumer/process-config.ts', [...settingsOf(PROCESS_CONFIG), ...settingsOf(RETRY_CONFIG)]],
  ['../rx/from-topic-config.ts', settingsOf(FROM_TOPIC_CONFIG)],
  ['../testing/test-millrace-config.ts', settingsOf(TEST_MILLRACE_CONFIG)],
  ['../streams/stream-options.ts', [...settingsOf(READ_STREAM_CONFIG), ...settingsOf(WRITE_STREAM_CONFIG), ...settingsOf(SEND_ALL_CONFIG)]],
])('%s: the docstrings are the table', (file, settings) => {
  const source = readFileSync(new URL(`../../src/client/${file}`, import.meta.url), 'utf8')
  const unbroken = source.replaceAll(/\s+(\* )?/g, ' ')
  expect(settings.length).toBeGreaterThan(2)
  for (const [name, setting] of settings) {
    const property = name.includes('.') ? `'${name}'` : name
    expect(unbroken, name).toContain(`/** ${setting.doc} Default: ${shown(setting.default)}. */ readonly ${property}:`)
  }
})

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
