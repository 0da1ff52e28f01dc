// The table of broker configs: those of Kafka's that mean something here, under
// Kafka's names, and ours, prefixed `millrace.`. What else Kafka has is answered by
// broker-config-answers.ts. The reference page, the checks, the types
// (broker-config.ts) and DescribeConfigs come from here.
//
// Data only. `takesEffect: 'at open'` is Kafka's "read-only": such a config is given
// to openMillrace and cannot be altered afterwards.

import type { ConfigTable } from '../config-def.ts'
import { CLUSTER_SETTINGS } from './broker-cluster-settings.ts'
import { answerBrokerConfig } from './broker-config-answers.ts'
import type { BrokerConfig } from './broker-config.ts'
import { GROUP_SETTINGS } from './broker-group-settings.ts'
import { LOG_SETTINGS } from './broker-log-settings.ts'
import { TOPIC_DEFAULT_SETTINGS, TOPIC_DEFAULT_SOURCES } from './broker-topic-defaults.ts'
import { TRANSACTION_SETTINGS } from './broker-transaction-settings.ts'

export const BROKER_CONFIG: ConfigTable<BrokerConfig> = {
  what: 'broker config',
  settings: {
    ...LOG_SETTINGS,
    ...TOPIC_DEFAULT_SETTINGS,
    ...CLUSTER_SETTINGS,
    ...TRANSACTION_SETTINGS,
    ...GROUP_SETTINGS,
  },
  answer: (name) => answerTopicName(name) ?? answerBrokerConfig(name)?.answer,
}

/** A topic config whose default has another name for brokers. */
function answerTopicName(name: string): string | undefined {
  if (!Object.hasOwn(TOPIC_DEFAULT_SOURCES, name)) return undefined
  const source = TOPIC_DEFAULT_SOURCES[name as keyof typeof TOPIC_DEFAULT_SOURCES]?.[0]
  return source === undefined ? undefined : `${name} is a topic's, its default for all topics is ${source.name}`
}
