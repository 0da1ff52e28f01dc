// What a topic's configs come to: its own, else what the brokers say, else Kafka's
// defaults (Kafka: LogConfig over KafkaConfig.extractLogConfigMap).
// Pure; runs on any thread, when a topic is made, led or bound, never once a record.

import { LONG_MAX, settingsOf } from '../config-def.ts'
import type { BrokerConfig } from './broker-config.ts'
import { TOPIC_DEFAULT_SOURCES } from './broker-topic-defaults.ts'
import { TOPIC_CONFIG } from './topic-config-table.ts'
import type { TopicConfig } from './topic-config.ts'

/**
 * All configs of a topic, complete. Whether it is pinned is not in here: that needs a
 * `retention.bytes` of -1 that the topic itself was given.
 */
export function effectiveTopicConfig(
  topic: Readonly<Partial<TopicConfig>>,
  broker: Readonly<Partial<BrokerConfig>>,
): Readonly<TopicConfig> {
  const effective: Record<string, unknown> = {}
  for (const [name] of settingsOf(TOPIC_CONFIG)) effective[name] = effectiveTopicValue(name as keyof TopicConfig, topic, broker)
  return Object.freeze(effective) as unknown as Readonly<TopicConfig>
}

/** One of them. */
export function effectiveTopicValue<Name extends keyof TopicConfig>(
  name: Name,
  topic: Readonly<Partial<TopicConfig>>,
  broker: Readonly<Partial<BrokerConfig>>,
): TopicConfig[Name] {
  return (topic[name] ?? inheritedValue(name, broker) ?? TOPIC_CONFIG.settings[name].default) as TopicConfig[Name]
}

/** What the brokers say about a topic config, in the topic's unit; undefined when nothing was set. */
function inheritedValue(name: keyof TopicConfig, broker: Readonly<Partial<BrokerConfig>>): unknown {
  for (const { name: brokerName, unitMs = 1 } of TOPIC_DEFAULT_SOURCES[name] ?? []) {
    const value = broker[brokerName]
    if (value === undefined) continue
    if (typeof value !== 'number' || unitMs === 1) return value
    // below zero is for ever, in any unit
    return value < 0 ? -1 : Math.min(value * unitMs, LONG_MAX)
  }
  return undefined
}
