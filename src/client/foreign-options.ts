// Options that people bring from Kafka's clients, from kafkajs and others, and that
// have no meaning here (or not yet): what to say to each, so that nobody has to
// guess whether a setting was dropped.
//
// Runs on the user's thread, only when an option is unknown. Names are compared
// folded: `session.timeout.ms`, `sessionTimeoutMs` and `SESSION_TIMEOUT_MS` are one.

import { foldName } from '../config-def.ts'

/** Options that get the same answer. */
export interface ForeignOptions {
  readonly names: readonly string[]
  readonly answer: string
}

const FOREIGN_OPTIONS: readonly ForeignOptions[] = [
  {
    names: [
      ...['bootstrap.servers', 'bootstrap.controllers', 'bootstrap.resolve.timeout.ms', 'client.dns.lookup', 'connections.max.idle.ms'],
      ...['reconnect.backoff.ms', 'reconnect.backoff.max.ms', 'send.buffer.bytes', 'receive.buffer.bytes'],
      ...['socket.connection.setup.timeout.ms', 'socket.connection.setup.timeout.max.ms', 'metadata.max.age.ms', 'metadata.max.idle.ms'],
      ...['metadata.recovery.strategy', 'metadata.recovery.rebootstrap.trigger.ms', 'metadata.cluster.check.enable'],
      ...['connection.timeout', 'socket.timeout'],
      ...['authentication.timeout', 'reauthentication.threshold', 'enforce.request.timeout', 'socket.factory', 'metadata.max.age'],
    ],
    answer: 'the brokers are threads of this process, and there is no connection to set up: leave it out',
  },
  {
    names: ['max.in.flight.requests.per.connection', 'max.in.flight.requests', 'max.in.flight'],
    answer: 'a lane keeps the order of its batches, however many are in flight: leave it out',
  },
  {
    names: ['request.timeout.ms', 'request.timeout', 'default.api.timeout.ms', 'operation.timeout'],
    answer: 'a call ends when it is answered or its thread has died: give it an AbortSignal, and bound sends by deliveryTimeoutMs',
  },
  {
    names: ['retries', 'retry', 'retry.backoff.ms', 'retry.backoff.max.ms', 'max.retries'],
    answer: 'only a producer sends again: set retries, retryBackoffMs and deliveryTimeoutMs there',
  },
  {
    names: ['ssl', 'sasl', 'tls', 'security.protocol', 'security.providers'],
    answer: 'a call within a process has no connection and no principal: leave it out',
  },
  {
    names: ['key.serializer', 'value.serializer', 'key.deserializer', 'value.deserializer', 'serializers', 'deserializers', 'serde'],
    answer: 'serdes belong to the topic: defineTopic(name, { key: string(), value: json() })',
  },
  {
    names: ['interceptor.classes', 'interceptors'],
    answer: 'there are no interceptors: call a function of your own before send, or map what you read',
  },
  {
    names: [
      'metric.reporters',
      'metrics.num.samples',
      'metrics.recording.level',
      'metrics.sample.window.ms',
      'enable.metrics.push',
      'metrics',
    ],
    answer: 'metrics are not set up here: leave it out',
  },
  { names: ['client.rack', 'rack.id', 'partitioner.rack.aware'], answer: 'one process has no racks: leave it out' },
  { names: ['client.id'], answer: 'clients of one process need no name: leave it out' },
  { names: ['config.providers'], answer: 'values are given as they are: read them from where they are kept before' },
  {
    names: ['compression', 'compression.type', 'compression.gzip.level', 'compression.lz4.level', 'compression.zstd.level'],
    answer: 'only a producer compresses: set compressionType there; consumers read every codec',
  },
  {
    names: [...['transactional.id', 'transaction.timeout.ms', 'transaction.timeout', 'transaction.two.phase.commit.enable']],
    answer: 'transactional producers are not there yet: leave it out',
  },
  {
    names: [
      ...['group.id', 'group.instance.id', 'group.remote.assignor', 'max.poll.interval.ms', 'rebalance.timeout'],
      ...['enable.auto.commit', 'auto.commit', 'auto.commit.interval.ms', 'auto.commit.interval'],
    ],
    answer: 'it is for a member of a group: millrace.consumer({ groupId, … })',
  },
  {
    names: ['session.timeout.ms', 'session.timeout', 'heartbeat.interval.ms', 'heartbeat.interval'],
    answer:
      'it is a config of the brokers since KIP-848: set group.consumer.session.timeout.ms or group.consumer.heartbeat.interval.ms there',
  },
  {
    names: ['group.protocol', 'partition.assignment.strategy', 'partition.assigners'],
    answer:
      "members of a group speak the protocol of KIP-848, and its coordinator assigns: set groupRemoteAssignor to 'uniform' or 'range'",
  },
  { names: ['auto.commit.threshold'], answer: 'offsets are committed by time: set autoCommitIntervalMs' },
  { names: ['share.acknowledgement.mode', 'share.acquire.mode'], answer: 'share groups are not there: leave it out' },
  { names: ['check.crcs'], answer: 'batches that stay in memory carry no CRC, and others are checked when they come in: leave it out' },
  {
    names: ['allow.auto.create.topics', 'allow.auto.topic.creation', 'auto.create.topics', 'auto.create.topics.enable'],
    answer: 'await millrace.topic(…) makes a topic that is missing, nothing else does: leave it out',
  },
  { names: ['exclude.internal.topics'], answer: 'a pattern never matches internal topics: leave it out' },
]

const FOREIGN_PREFIXES: readonly string[] = ['ssl', 'sasl']

const ANSWERS = new Map<string, string>()
for (const { names, answer } of FOREIGN_OPTIONS) for (const name of names) ANSWERS.set(foldName(name), answer)

/** What to say to an option that has no meaning here; undefined when it is not a known one of others. */
export function answerForeignOption(name: string): string | undefined {
  const folded = foldName(name)
  const prefix = FOREIGN_PREFIXES.find((each) => folded.startsWith(each))
  return ANSWERS.get(folded) ?? (prefix === undefined ? undefined : ANSWERS.get(prefix))
}

/** Every name that has an answer, for the reference page. */
export function foreignOptions(): readonly ForeignOptions[] {
  return FOREIGN_OPTIONS
}
