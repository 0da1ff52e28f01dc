// Altering configs of topics and brokers step by step (Kafka: IncrementalAlterConfigs,
// KIP-339). Runs on the user's thread. What is to be altered is tried here on the image
// first, so that a mistake is told before anybody hears of it; the controller tries it
// again on its own.

import { BROKER_CONFIG } from '../../config/broker-config-table.ts'
import type { BrokerConfig } from '../../config/broker-config.ts'
import { applyConfigOps } from '../../config/config-ops.ts'
import type { ConfigOp } from '../../config/config-ops.ts'
import { configToText } from '../../config/config-text.ts'
import { TOPIC_CONFIG } from '../../config/topic-config-table.ts'
import type { TopicConfig } from '../../config/topic-config.ts'
import { checkOptions } from '../../config-def.ts'
import type { ConfigTable, OptionsOf } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { AlterConfigsCommand } from '../../metadata/controller-commands.ts'
import { brokerIdOf, resourceTitle } from './config-resources.ts'
import type { BrokerResource, TopicResource } from './config-resources.ts'
import { existingTopic } from './described-topic.ts'

/** Names of lists, and items. */
type ListsOf<Config extends object> = {
  readonly [Name in keyof Config as Config[Name] extends readonly string[] ? Name : never]?: Config[Name] | string
}

/** What of a resource's configs is altered (Kafka: AlterConfigOp): each config in one place only. */
interface Alteration<Config extends object> {
  /** New values. */
  readonly set?: OptionsOf<Config> | undefined
  /** Taken back: what was inherited counts again. */
  readonly delete?: readonly (keyof Config & string)[] | undefined
  /** Items that lists get. */
  readonly append?: ListsOf<Config> | undefined
  /** Items that lists lose. */
  readonly subtract?: ListsOf<Config> | undefined
}

/** Configs to be altered; each is set, deleted, appended to or subtracted from, once. */
export type ConfigAlteration = (TopicResource & Alteration<TopicConfig>) | (BrokerResource & Alteration<BrokerConfig>)

/** The command, tried on what is set now. Throws INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED. */
export function alterConfigsCommand(engine: EmbeddedEngine, alteration: ConfigAlteration): AlterConfigsCommand {
  const title = resourceTitle(alteration)
  if (alteration.type === 'topic') {
    const { name } = existingTopic(engine, alteration.name)
    const ops = opsOf(TOPIC_CONFIG, alteration, title)
    applyConfigOps(TOPIC_CONFIG, engine.metadata.topicConfig(name), ops)
    return { resource: { type: 'topic', name }, ops }
  }
  const brokerId = brokerIdOf(engine, alteration)
  const ops = opsOf(BROKER_CONFIG, alteration, title)
  applyConfigOps(BROKER_CONFIG, engine.metadata.brokerConfig(brokerId), ops)
  return { resource: { type: 'broker', name: brokerId === undefined ? '' : String(brokerId) }, ops }
}

const OPERATIONS: readonly string[] = ['set', 'delete', 'append', 'subtract']

function opsOf<Config extends object>(table: ConfigTable<Config>, alteration: Alteration<Config>, title: string): ConfigOp[] {
  for (const name of Object.keys(alteration)) {
    if (['type', 'name', ...OPERATIONS].includes(name)) continue
    const remedy = `alter by ${OPERATIONS.join(', ')}, as in { set: { … }, delete: [ … ] }`
    throw new MillraceError('INVALID_REQUEST', `there is no operation "${name}" on configs of ${title}: ${remedy}`)
  }
  const { set, delete: deleted = [], append = {}, subtract = {} } = alteration
  const ops: ConfigOp[] = Object.entries(configToText(table, checkOptions(table, set))).map(([name, value]) => ({ op: 'SET', name, value }))
  for (const name of deleted) ops.push({ op: 'DELETE', name, value: null })
  for (const [name, items] of Object.entries(append)) ops.push({ op: 'APPEND', name, value: String(items) })
  for (const [name, items] of Object.entries(subtract)) ops.push({ op: 'SUBTRACT', name, value: String(items) })
  if (ops.length > 0) return ops
  throw new MillraceError('INVALID_REQUEST', `nothing is altered of ${title}: name configs under ${OPERATIONS.join(', ')}`)
}
