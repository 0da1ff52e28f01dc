// Writes src/config/broker-config.ts, the types of broker configs, from their tables:
//
//   node test/config/generate-broker-config.ts --write
//
// A test holds that the source equals what this makes.

import { writeFileSync } from 'node:fs'
import { CLUSTER_SETTINGS } from '../../src/config/broker-cluster-settings.ts'
import { GROUP_SETTINGS } from '../../src/config/broker-group-settings.ts'
import { LOG_SETTINGS } from '../../src/config/broker-log-settings.ts'
import { TOPIC_DEFAULT_SETTINGS } from '../../src/config/broker-topic-defaults.ts'
import { TRANSACTION_SETTINGS } from '../../src/config/broker-transaction-settings.ts'
import { isNumber } from '../../src/config-def.ts'
import type { Setting } from '../../src/config-def.ts'

export const BROKER_CONFIG_SOURCE = new URL('../../src/config/broker-config.ts', import.meta.url)

const HEADER = `// The configs of brokers, in Kafka's dotted names: what \`openMillrace({ config })\`
// takes. Types only. Written by test/config/generate-broker-config.ts from the tables
// beside this file: change those.

import type { OptionsOf } from '../config-def.ts'
import type { BrokerConfigWithoutEffect } from './broker-config-answers.ts'
`

const PARTS: readonly [name: string, doc: string, settings: object][] = [
  ['BrokerLogConfig', 'Topics and their logs.', LOG_SETTINGS],
  ['BrokerTopicDefaults', 'What topics have that do not say it themselves.', TOPIC_DEFAULT_SETTINGS],
  ['BrokerClusterConfig', 'The metadata log, replicas, leaders.', CLUSTER_SETTINGS],
  ['BrokerTransactionConfig', 'Producers and transactions.', TRANSACTION_SETTINGS],
  ['BrokerGroupConfig', 'Consumer groups and their offsets.', GROUP_SETTINGS],
]

const FOOTER = `
/** All configs of a broker. Those that say "only" refuse anything else. */
export interface BrokerConfig
  extends ${PARTS.map(([name]) => name).join(',\n    ')} {}

/**
 * What \`config\` of openMillrace takes; lists also as text with commas. Kafka's configs that only tune what is not here are taken too,
 * and have no effect.
 */
export type BrokerConfigOptions = OptionsOf<BrokerConfig> & { readonly [Name in BrokerConfigWithoutEffect]?: unknown }
`

const LINE_CHARS_MAX = 140

export function brokerConfigText(): string {
  const interfaces = PARTS.map(([name, doc, settings]) => {
    const properties = Object.entries(settings as Record<string, Setting<unknown>>).flatMap(([each, setting]) =>
      propertyLines(each, setting),
    )
    return `\n/** ${doc} */\nexport interface ${name} {\n${properties.join('\n')}\n}\n`
  })
  return HEADER + interfaces.join('') + FOOTER
}

function propertyLines(name: string, setting: Setting<unknown>): string[] {
  const property = name.includes('.') ? `'${name}'` : name
  return [...docLines(`${setting.doc} Default: ${shown(setting.default)}.`), `  readonly ${property}: ${typeOf(setting)}`]
}

function docLines(doc: string): string[] {
  const single = `  /** ${doc} */`
  if (single.length <= LINE_CHARS_MAX) return [single]
  const lines = ['  /**']
  let line = '   *'
  for (const word of doc.split(' ')) {
    if (line.length + 1 + word.length > LINE_CHARS_MAX) {
      lines.push(line)
      line = '   *'
    }
    line += ` ${word}`
  }
  return [...lines, line, '   */']
}

function typeOf(setting: Setting<unknown>): string {
  const type = isNumber(setting) ? 'number' : setting.type === 'one of' ? setting.values.map(shown).join(' | ') : listOrPlain(setting)
  return setting.default === undefined ? `${type} | undefined` : type
}

function listOrPlain(setting: Setting<unknown>): string {
  if (setting.type !== 'list') return setting.type
  return setting.values === undefined ? 'readonly string[]' : `readonly (${setting.values.map(shown).join(' | ')})[]`
}

/** A default as docstrings show it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) writeFileSync(BROKER_CONFIG_SOURCE, brokerConfigText())
