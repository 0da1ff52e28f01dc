// Checking topic configs, their form as text, and how two sets of them differ.
//
// Runs on the user's thread, when a topic is defined or bound. Holds: a definition
// carries only checked values; between threads and in the metadata log configs
// travel as Kafka has them, names and values as text, and only those that were set.

import { checkOptions, foldName, isSameValue, settingsOf, show } from '../config-def.ts'
import { configFromText, configToText } from './config-text.ts'
import { effectiveTopicConfig } from './effective-topic-config.ts'
import { TOPIC_CONFIG } from './topic-config-table.ts'
import type { TopicConfig, TopicConfigOptions } from './topic-config.ts'

/** Checks what was given, and gives only that back. */
export function checkTopicConfig(given: TopicConfigOptions | undefined): Readonly<Partial<TopicConfig>> {
  return checkOptions(TOPIC_CONFIG, given)
}

/** Configs as they travel: Kafka's names and values as text. */
export function topicConfigToText(config: Readonly<Partial<TopicConfig>>): Record<string, string> {
  return configToText(TOPIC_CONFIG, config)
}

/** The other way; throws INVALID_CONFIG on a name or a value that is none. */
export function topicConfigFromText(text: Readonly<Record<string, string>>): Readonly<Partial<TopicConfig>> {
  return configFromText(TOPIC_CONFIG, text)
}

/**
 * Where an existing topic's configs differ from those a definition names, a line a
 * config: "retention.ms is 1000, not 5000". What the definition does not name is
 * not compared; what the existing topic does not set, it has from `inherited`.
 */
export function topicConfigDifferences(
  existing: Readonly<Partial<TopicConfig>>,
  wanted: Readonly<Partial<TopicConfig>>,
  inherited: Readonly<TopicConfig> = effectiveTopicConfig({}, {}),
): string[] {
  const differences: string[] = []
  for (const name of Object.keys(TOPIC_CONFIG.settings) as (keyof TopicConfig)[]) {
    const is: unknown = existing[name]
    const want: unknown = wanted[name]
    if (want === undefined) continue
    // retention.bytes -1 that was given pins a topic; the same value as its default does not
    const isSame = name === 'retention.bytes' ? is === want : isSameValue(is ?? inherited[name], want)
    if (!isSame) differences.push(`${name} is ${is === undefined ? 'not set' : show(is)}, not ${show(want)}`)
  }
  return differences
}

/** The config that is called so, however it is written: `retentionMs` is `retention.ms`. */
export function topicConfigNamed(name: string): string | undefined {
  return settingsOf(TOPIC_CONFIG).find(([each]) => foldName(each) === foldName(name))?.[0]
}
