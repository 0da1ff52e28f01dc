// Kafka's broker configs that have no meaning here, and what is done about each: one
// that only tunes something which is not here is accepted, so that the properties of
// a broker can be used as they are; one that promises something (safety, a listener,
// a place on disk, a feature) is refused, for nobody would keep the promise.
//
// Data only, read when millrace is opened. Values of accepted ones are not looked at.

export interface BrokerConfigAnswer {
  readonly meaning: 'accepted' | 'refused'
  /** What to say to it, a clause without a full stop. */
  readonly answer: string
}

const ACCEPTED = [
  {
    names: [
      ...(['num.network.threads', 'num.io.threads', 'background.threads', 'queued.max.requests', 'queued.max.request.bytes'] as const),
      ...(['num.replica.alter.log.dirs.threads', 'num.replica.fetchers'] as const),
      ...(['group.coordinator.threads', 'group.coordinator.background.threads'] as const),
    ],
    answer: 'a broker is one thread, which is all there is to tune',
  },
  {
    names: [
      ...(['socket.send.buffer.bytes', 'socket.receive.buffer.bytes', 'socket.request.max.bytes', 'socket.listen.backlog.size'] as const),
      ...(['socket.connection.setup.timeout.ms', 'socket.connection.setup.timeout.max.ms', 'connections.max.idle.ms'] as const),
      ...(['connection.failed.authentication.delay.ms', 'request.timeout.ms', 'controller.socket.timeout.ms'] as const),
      ...(['max.connections', 'max.connections.per.ip', 'max.connections.per.ip.overrides', 'max.connection.creation.rate'] as const),
    ],
    answer: 'brokers are threads of this process: there are no connections between them',
  },
  {
    names: [
      ...(['fetch.max.bytes', 'max.incremental.fetch.session.cache.slots', 'max.request.partition.size.limit'] as const),
      ...(['fetch.purgatory.purge.interval.requests', 'producer.purgatory.purge.interval.requests'] as const),
      ...(['delete.records.purgatory.purge.interval.requests', 'share.fetch.purgatory.purge.interval.requests'] as const),
    ],
    answer: 'no broker answers fetches: readers take records out of log memory themselves',
  },
  {
    names: [
      ...(['replica.fetch.backoff.ms', 'replica.fetch.max.bytes', 'replica.fetch.min.bytes', 'replica.fetch.response.max.bytes'] as const),
      ...(['replica.fetch.wait.max.ms', 'replica.high.watermark.checkpoint.interval.ms', 'replica.socket.receive.buffer.bytes'] as const),
      ...(['replica.socket.timeout.ms', 'unclean.leader.election.interval.ms', 'follower.fetch.last.tiered.offset.enable'] as const),
    ],
    answer: 'a partition has one replica so far, and no follower fetches',
  },
  {
    names: [
      ...(['log.flush.offset.checkpoint.interval.ms', 'log.flush.start.offset.checkpoint.interval.ms'] as const),
      ...(['log.initial.task.delay.ms', 'log.dir.failure.timeout.ms'] as const),
    ],
    answer:
      'the I/O thread of a data directory checkpoints after so many bytes, and a partition whose files fail takes nothing more at once',
  },
  {
    names: [
      ...(['broker.heartbeat.interval.ms', 'broker.session.timeout.ms', 'initial.broker.registration.timeout.ms'] as const),
      ...(['controlled.shutdown.enable', 'server.max.startup.time.ms', 'metadata.max.idle.interval.ms'] as const),
      ...(['controller.performance.always.log.threshold.ms', 'controller.performance.sample.period.ms'] as const),
    ],
    answer: 'that a broker has ended is seen by its ports, without heartbeats',
  },
  {
    names: [
      ...(['controller.quorum.append.linger.ms', 'controller.quorum.election.backoff.max.ms'] as const),
      ...(['controller.quorum.election.timeout.ms', 'controller.quorum.fetch.max.bytes'] as const),
      ...(['controller.quorum.fetch.snapshot.max.bytes', 'controller.quorum.fetch.timeout.ms'] as const),
      ...(['controller.quorum.request.timeout.ms', 'controller.quorum.retry.backoff.ms'] as const),
    ],
    answer: 'the controller runs on one of the brokers, and the lowest living one takes over: nobody votes',
  },
  {
    names: [
      ...(['offsets.load.buffer.size', 'offsets.topic.compression.codec', 'group.coordinator.append.linger.ms'] as const),
      ...(['group.coordinator.cached.buffer.max.bytes', 'transaction.state.log.load.buffer.size'] as const),
      ...(['add.partitions.to.txn.retry.backoff.ms', 'add.partitions.to.txn.retry.backoff.max.ms'] as const),
      ...(['group.consumer.assignor.offload.enable'] as const),
    ],
    answer: "it tunes the insides of Kafka's coordinators, which are not here",
  },
  {
    names: [
      ...(['metric.reporters', 'metrics.num.samples', 'metrics.recording.level', 'metrics.sample.window.ms'] as const),
      ...(['kafka.metrics.polling.interval.secs', 'kafka.metrics.reporters', 'auto.include.jmx.reporter'] as const),
      ...(['telemetry.max.bytes', 'telemetry.max.push.interval.ms'] as const),
    ],
    answer: 'metrics are not set up here',
  },
  {
    names: [
      ...(['quota.window.num', 'quota.window.size.seconds', 'controller.quota.window.num'] as const),
      ...(['controller.quota.window.size.seconds', 'replication.quota.window.num', 'replication.quota.window.size.seconds'] as const),
      ...(['alter.log.dirs.replication.quota.window.num', 'alter.log.dirs.replication.quota.window.size.seconds'] as const),
    ],
    answer: 'there are no quotas, so nothing to measure for them',
  },
] as const

interface Refusal {
  readonly names?: readonly string[]
  /** All names that begin so, unless another answer has the very name. */
  readonly prefixes?: readonly string[]
  readonly answer: string
}

const REFUSED: readonly Refusal[] = [
  {
    names: [
      ...['listeners', 'advertised.listeners', 'listener.security.protocol.map', 'inter.broker.listener.name', 'early.start.listeners'],
      ...['controller.listener.names', 'advertised.host.name', 'advertised.port', 'host.name', 'port'],
    ],
    prefixes: ['listener.name.'],
    answer: 'Kafka clients cannot connect yet: leave it out',
  },
  {
    names: [
      ...['authorizer.class.name', 'principal.builder.class', 'security.inter.broker.protocol', 'security.providers', 'super.users'],
      ...['connections.max.reauth.ms', 'allow.everyone.if.no.acl.found'],
    ],
    prefixes: ['ssl.', 'sasl.', 'delegation.token.'],
    answer: 'nobody is authenticated, for there are only threads of this process, which trust each other: leave it out',
  },
  {
    names: ['log.dir', 'log.dirs', 'metadata.log.dir', 'cordoned.log.dirs'],
    answer: 'openMillrace({ dataDir }) says where logs are kept: leave it out',
  },
  {
    names: ['node.id', 'broker.id', 'broker.id.generation.enable', 'reserved.broker.max.id', 'process.roles'],
    answer:
      'openMillrace({ brokers: 3 }) says how many brokers there are; their ids are 0 to 2, and one of them is the controller: leave it out',
  },
  { names: ['broker.rack', 'replica.selector.class'], answer: 'one process has no racks: leave it out' },
  {
    names: ['controller.quorum.voters', 'controller.quorum.bootstrap.servers', 'controller.quorum.auto.join.enable'],
    answer: 'the controller runs on one of the brokers, there are no others to find: leave it out',
  },
  { prefixes: ['zookeeper.'], answer: 'there is no ZooKeeper, the brokers keep the metadata: leave it out' },
  {
    prefixes: ['remote.', 'log.remote.'],
    names: [],
    answer: 'there is no tiered storage: leave it out',
  },
  {
    prefixes: ['group.share.', 'share.coordinator.', 'errors.deadletterqueue.'],
    answer: 'there are no share groups: leave it out',
  },
  { prefixes: ['group.streams.'], answer: 'there are no groups of Kafka Streams: leave it out' },
  {
    names: ['create.topic.policy.class.name', 'alter.config.policy.class.name', 'client.quota.callback.class', 'config.providers'],
    answer: 'no class can be loaded into a broker: leave it out',
  },
  {
    names: ['leader.replication.throttled.rate', 'follower.replication.throttled.rate', 'replica.alter.log.dirs.io.max.bytes.per.second'],
    answer: 'replication is not throttled: leave it out',
  },
  {
    names: ['leader.imbalance.per.broker.percentage'],
    answer: 'Kafka no longer has it: leave it out',
  },
  {
    names: ['inter.broker.protocol.version', 'log.message.format.version', 'log.message.downconversion.enable'],
    answer: 'there is one version and one format, record batches of version 2: leave it out',
  },
  {
    names: ['log.message.timestamp.difference.max.ms'],
    answer: 'Kafka has divided it: set log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms',
  },
  {
    names: ['unstable.api.versions.enable', 'unstable.feature.versions.enable'],
    prefixes: ['internal.'],
    answer: 'it is for those who develop Kafka itself: leave it out',
  },
]

/** Names that openMillrace takes and does nothing with. */
export type BrokerConfigWithoutEffect = (typeof ACCEPTED)[number]['names'][number]

const ANSWERS = new Map<string, BrokerConfigAnswer>()
const PREFIXES: [prefix: string, BrokerConfigAnswer][] = []
for (const { names, answer } of ACCEPTED) for (const name of names) ANSWERS.set(name, { meaning: 'accepted', answer })
for (const { names, prefixes, answer } of REFUSED) {
  for (const name of names ?? []) ANSWERS.set(name, { meaning: 'refused', answer })
  for (const prefix of prefixes ?? []) PREFIXES.push([prefix, { meaning: 'refused', answer }])
}

/** What is done about a broker config that is not in the table; undefined when Kafka has none that is called so. */
export function answerBrokerConfig(name: string): BrokerConfigAnswer | undefined {
  return ANSWERS.get(name) ?? PREFIXES.find(([prefix]) => name.startsWith(prefix))?.[1]
}

/** Every name that has an answer of its own, for tests and the reference page. */
export function answeredBrokerConfigs(): [name: string, answer: BrokerConfigAnswer][] {
  return [...ANSWERS]
}
