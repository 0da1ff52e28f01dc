// Checking broker configs, and their form as text.
// Runs on the opener's thread, when millrace is opened; what passes here is what
// broker threads are started with.

import { checkOptions, foldName, settingsOf } from '../config-def.ts'
import { answerBrokerConfig } from './broker-config-answers.ts'
import { BROKER_CONFIG } from './broker-config-table.ts'
import type { BrokerConfig, BrokerConfigOptions } from './broker-config.ts'
import { configFromText, configToText } from './config-text.ts'

export interface CheckedBrokerConfig {
  /** Only what was given. */
  readonly config: Readonly<Partial<BrokerConfig>>
  /** Names that were given and change nothing, each with the reason. */
  readonly withoutEffect: readonly { readonly name: string; readonly reason: string }[]
}

/** Checks what was given, and gives only that back; throws INVALID_CONFIG. */
export function checkBrokerConfig(given: BrokerConfigOptions | undefined): CheckedBrokerConfig {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { config: checkOptions(BROKER_CONFIG, given), withoutEffect: [] }
  }
  const withoutEffect: { name: string; reason: string }[] = []
  const rest = Object.entries(given).filter(([name, value]) => {
    const answer = answerBrokerConfig(name)
    if (answer?.meaning !== 'accepted') return true
    if (value !== undefined) withoutEffect.push({ name, reason: answer.answer })
    return false
  })
  return { config: checkOptions(BROKER_CONFIG, Object.fromEntries(rest)), withoutEffect }
}

/** Configs as they travel: Kafka's names and values as text. */
export function brokerConfigToText(config: Readonly<Partial<BrokerConfig>>): Record<string, string> {
  return configToText(BROKER_CONFIG, config)
}

/** The other way; throws INVALID_CONFIG on a name or a value that is none. */
export function brokerConfigFromText(text: Readonly<Record<string, string>>): Readonly<Partial<BrokerConfig>> {
  return configFromText(BROKER_CONFIG, text)
}

/** The config that is called so, however it is written: `numPartitions` is `num.partitions`. */
export function brokerConfigNamed(name: string): string | undefined {
  return settingsOf(BROKER_CONFIG).find(([each]) => foldName(each) === foldName(name))?.[0]
}
