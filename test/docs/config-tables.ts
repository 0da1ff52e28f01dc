// Tables of settings in Markdown, from the tables that the code checks with.

import { foreignOptions } from '../../src/client/foreign-options.ts'
import { CONSUMER_CONFIG } from '../../src/client/consumer/consumer-config.ts'
import { PROCESS_CONFIG, RETRY_CONFIG } from '../../src/client/consumer/process-config.ts'
import { MILLRACE_CONFIG } from '../../src/client/millrace-config.ts'
import { PRODUCER_CONFIG } from '../../src/client/producer/producer-config.ts'
import { answeredBrokerConfigs } from '../../src/config/broker-config-answers.ts'
import { BROKER_CONFIG } from '../../src/config/broker-config-table.ts'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import { LONG_MAX, isNumber, settingsOf } from '../../src/config-def.ts'
import type { Setting } from '../../src/config-def.ts'
import { FROM_TOPIC_CONFIG } from '../../src/rx/from-topic-config.ts'
import { TEST_MILLRACE_CONFIG } from '../../src/testing/test-millrace-config.ts'
import { READ_STREAM_CONFIG, SEND_ALL_CONFIG, WRITE_STREAM_CONFIG } from '../../src/streams/stream-options.ts'
import { tableText } from './markdown-table.ts'

/** By the exported type that takes the options. */
const OPTIONS: Readonly<Record<string, [string, Setting<unknown>][]>> = {
  MillraceOptions: settingsOf(MILLRACE_CONFIG),
  ProducerOptions: settingsOf(PRODUCER_CONFIG),
  ConsumerOptions: settingsOf(CONSUMER_CONFIG),
  ProcessOptions: settingsOf(PROCESS_CONFIG),
  RetryOptions: settingsOf(RETRY_CONFIG),
  FromTopicOptions: settingsOf(FROM_TOPIC_CONFIG),
  TestMillraceOptions: settingsOf(TEST_MILLRACE_CONFIG),
  ReadStreamOptions: settingsOf(READ_STREAM_CONFIG),
  WriteStreamOptions: settingsOf(WRITE_STREAM_CONFIG),
  SendAllOptions: settingsOf(SEND_ALL_CONFIG),
}

/** Options in camelCase, with Kafka's name where it has one; undefined for a type that is none of options. */
export function optionsTable(type: string): string | undefined {
  const settings = Object.hasOwn(OPTIONS, type) ? OPTIONS[type]! : undefined
  if (settings === undefined) return undefined
  const withKafka = settings.some(([, { kafkaName }]) => kafkaName !== undefined)
  const someDiffer = settings.some(([, { takesEffect, support = 'yes' }]) => takesEffect !== 'at open' || support !== 'yes')
  const head = [
    ...['option', ...(withKafka ? ["Kafka's name"] : []), 'type', 'range', 'default'],
    ...(someDiffer ? ['takes effect', 'works here'] : []),
    'meaning',
  ]
  const rows = settings.map(([name, setting]) => {
    const kafka = setting.kafkaName === undefined ? '' : `\`${setting.kafkaName}\``
    return [
      ...[`\`${name}\``, ...(withKafka ? [kafka] : []), typeText(setting), rangeText(setting), defaultText(setting)],
      ...(someDiffer ? [setting.takesEffect, supportText(setting)] : []),
      setting.doc,
    ]
  })
  const table = tableText(head, rows)
  return someDiffer ? table : `${table}\n\nAll of them work here, and take effect at open: when what they belong to is made.`
}

/** Configs in dotted names. */
export function configsTable(of: 'topic' | 'broker'): string {
  const settings = of === 'topic' ? settingsOf(TOPIC_CONFIG) : settingsOf(BROKER_CONFIG)
  const head = ['name', 'type', 'range', 'default', 'takes effect', 'works here', 'meaning']
  const rows = settings.map(([name, setting]) => [
    `\`${name}\``,
    typeText(setting),
    rangeText(setting),
    defaultText(setting),
    setting.takesEffect,
    supportText(setting),
    setting.doc,
  ])
  return tableText(head, rows)
}

/** Broker configs of Kafka that are not in the table: what is done about each. */
export function brokerAnswersTable(meaning: 'accepted' | 'refused'): string {
  const byAnswer = new Map<string, string[]>()
  for (const [name, { meaning: is, answer }] of answeredBrokerConfigs()) {
    if (is === meaning) byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), name])
  }
  return tableText(['configs', 'why'], namesRows(byAnswer))
}

/** Options of other clients, and what is said to them. */
export function foreignOptionsTable(): string {
  const byAnswer = new Map<string, string[]>()
  for (const { names, answer } of foreignOptions()) byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), ...names])
  return tableText(['options', 'answer'], namesRows(byAnswer))
}

function namesRows(byAnswer: ReadonlyMap<string, readonly string[]>): string[][] {
  return [...byAnswer].map(([answer, names]) => [
    names.map((name) => `\`${name}\``).join(', '),
    `${answer[0]!.toUpperCase()}${answer.slice(1)}.`,
  ])
}

function typeText(setting: Setting<unknown>): string {
  const unit = setting.unit === undefined ? '' : `, ${setting.unit}`
  if (setting.type === 'one of') return 'one of'
  if (setting.type === 'custom') return 'any'
  return `${setting.type}${unit}`
}

function rangeText(setting: Setting<unknown>): string {
  if (setting.type === 'one of' || setting.type === 'list') {
    const named = (setting.values ?? []).map((value) => `\`${literal(value)}\``).join(', ')
    const others = setting.type === 'one of' ? setting.others : undefined
    return others === undefined ? named : `${named}, or ${others.expects}`
  }
  if (setting.type === 'custom') return setting.expects
  if (!isNumber(setting)) return ''
  const { min, max, multipleOf } = setting
  const multiple = multipleOf === undefined ? '' : `, multiples of ${multipleOf}`
  if (min === undefined && max === undefined) return multiple
  if (max === undefined) return `≥ ${min}${multiple}`
  return `${min ?? ''} to ${max}${multiple}`
}

function defaultText(setting: Setting<unknown>): string {
  const value = setting.default
  if (value === undefined) return 'not set'
  if (setting.type === 'long' && value === LONG_MAX) return 'no limit (2^63 − 1)'
  if (value === Number.MAX_VALUE) return 'no limit'
  return `\`${literal(value)}\``
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function supportText({ support }: Setting<unknown>): string {
  if (support === undefined || support === 'yes') return 'yes'
  return support === 'accepted' ? 'taken, no effect yet' : `only the default: ${support.slice('refused: '.length)}`
}
