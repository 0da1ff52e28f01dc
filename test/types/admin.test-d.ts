import { expectTypeOf } from 'vitest'
import { defineTopic, json, string } from '../../src/index.ts'
import type {
  CreatedTopic,
  DeletedRecords,
  DescribedBroker,
  DescribedCluster,
  DescribedConfig,
  DescribedConfigs,
  DescribedLogMemory,
  DescribedTopic,
  ItemFailures,
  Millrace,
  MillraceError,
  PartitionOffset,
} from '../../src/index.ts'

declare const millrace: Millrace
const { admin } = millrace
const { signal } = new AbortController()

// --- topics

expectTypeOf(admin.listTopics({ listInternal: true, signal })).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(admin.describeTopic('clicks', { signal })).toEqualTypeOf<Promise<DescribedTopic>>()
expectTypeOf(admin.describeTopics(['clicks'])).toEqualTypeOf<Promise<readonly DescribedTopic[]>>()
const clicks = defineTopic('clicks', { key: string(), value: json<{ page: string }>(), config: { 'retention.ms': -1 } })
expectTypeOf(admin.createTopics(['a', { name: 'b', partitions: 3, config: { 'retention.bytes': 1_000 } }, clicks])).toEqualTypeOf<
  Promise<readonly CreatedTopic[]>
>()
expectTypeOf(admin.createTopic(clicks, { signal })).toEqualTypeOf<Promise<CreatedTopic>>()
// @ts-expect-error: it is called name
void admin.createTopic({ topic: 'a' })
// @ts-expect-error: it is called partitions
void admin.createTopics([{ name: 'a', numPartitions: 3 }])
// @ts-expect-error: there is no such config
void admin.createTopic({ name: 'a', config: { 'retention.msec': 1 } })
// @ts-expect-error: an array
void admin.createTopics('a')
// @ts-expect-error: there is no such option
void admin.listTopics({ internal: true })
expectTypeOf(admin.createTopics(['a'], { validateOnly: true, signal })).toEqualTypeOf<Promise<readonly CreatedTopic[]>>()
// @ts-expect-error: it is called validateOnly
void admin.createTopic('a', { dryRun: true })
expectTypeOf(admin.deleteTopics('clicks')).toEqualTypeOf<Promise<void>>()
void admin.deleteTopics(['clicks', 'views'], { signal })
// @ts-expect-error: a deletion is not tried
void admin.deleteTopics('clicks', { validateOnly: true })
// @ts-expect-error: by name
void admin.deleteTopics(clicks)
expectTypeOf(admin.createPartitions('clicks', 16, { validateOnly: true, signal })).toEqualTypeOf<Promise<void>>()
// @ts-expect-error: how many in all
void admin.createPartitions('clicks')
// @ts-expect-error: a number
void admin.createPartitions('clicks', { increaseTo: 16 })
expectTypeOf(admin.moveLeader('clicks', 3, 1, { signal })).toEqualTypeOf<Promise<void>>()
// @ts-expect-error: to which broker
void admin.moveLeader('clicks', 3)
// What calls give cannot be changed.
const described = await admin.describeTopic('clicks')
// @ts-expect-error: it is what it was
described.partitions[0]!.leader = 3

// --- records

expectTypeOf(admin.listOffsets('clicks', 'latest', { isolationLevel: 'read_committed', signal })).toEqualTypeOf<
  Promise<readonly PartitionOffset[]>
>()
void admin.listOffsets('clicks', { timestamp: Date.now() })
void admin.listOffsets('clicks', { 0: 'maxTimestamp', 3: { timestamp: 0 } })
expectTypeOf<PartitionOffset['offset']>().toEqualTypeOf<number | null>()
expectTypeOf(admin.deleteRecords('clicks', { 0: 100, 1: 'end' })).toEqualTypeOf<Promise<readonly DeletedRecords[]>>()
void admin.deleteRecords('clicks', { 0: 'end' }, { signal })
const [deletedRecords] = await admin.deleteRecords('clicks', { 0: 100 })
expectTypeOf(deletedRecords!.lowWatermark).toEqualTypeOf<number>()
// @ts-expect-error: it is what it was
deletedRecords!.lowWatermark = 0
// @ts-expect-error: no other word
void admin.deleteRecords('clicks', { 0: 'latest' })
// @ts-expect-error: there is no such end
void admin.listOffsets('clicks', 'newest')
// @ts-expect-error: by partition
void admin.deleteRecords('clicks', 'end')

// --- configs

const own = await admin.describeConfigs({ type: 'topic', name: 'clicks' }, { names: ['retention.ms'], includeSynonyms: true })
expectTypeOf(own).toEqualTypeOf<DescribedConfigs>()
expectTypeOf(own.configs['retention.ms']).toEqualTypeOf<DescribedConfig>()
expectTypeOf(admin.describeConfigs([{ type: 'broker', name: 0 }, { type: 'broker' }, { type: 'topic', name: 'x' }])).toEqualTypeOf<
  Promise<readonly DescribedConfigs[]>
>()
// @ts-expect-error: a topic has a name
void admin.describeConfigs({ type: 'topic' })

expectTypeOf(
  admin.incrementalAlterConfigs(
    {
      type: 'topic',
      name: 'clicks',
      set: { 'retention.bytes': 1_000_000 },
      delete: ['retention.ms'],
      append: { 'cleanup.policy': 'compact' },
    },
    { validateOnly: true, signal },
  ),
).toEqualTypeOf<Promise<void>>()
void admin.incrementalAlterConfigs([
  { type: 'broker', set: { 'message.max.bytes': 2_000_000 } },
  { type: 'broker', name: 0, delete: ['log.retention.ms'] },
  { type: 'topic', name: 'clicks', subtract: { 'cleanup.policy': ['compact'] } },
])
// @ts-expect-error: there is no such config of a topic
void admin.incrementalAlterConfigs({ type: 'topic', name: 'clicks', set: { 'message.max.bytes': 1 } })
// @ts-expect-error: nor of a broker
void admin.incrementalAlterConfigs({ type: 'broker', set: { 'max.message.bytes': 1 } })
// @ts-expect-error: a number of bytes
void admin.incrementalAlterConfigs({ type: 'topic', name: 'clicks', set: { 'retention.bytes': 'much' } })
// @ts-expect-error: only lists are appended to
void admin.incrementalAlterConfigs({ type: 'topic', name: 'clicks', append: { 'retention.ms': 1 } })
// @ts-expect-error: names, not values
void admin.incrementalAlterConfigs({ type: 'topic', name: 'clicks', delete: { 'retention.ms': 1 } })

// --- brokers and memory

expectTypeOf(admin.describeCluster({ signal })).toEqualTypeOf<Promise<DescribedCluster>>()
expectTypeOf(admin.describeBroker(0)).toEqualTypeOf<Promise<DescribedBroker>>()
expectTypeOf(admin.describeLogMemory()).toEqualTypeOf<Promise<DescribedLogMemory>>()
// @ts-expect-error: an id is a number
void admin.describeBroker('0')

// --- what failed of several

declare const error: MillraceError
const failures = error.cause as ItemFailures
expectTypeOf(failures.byName).toEqualTypeOf<ReadonlyMap<string, MillraceError>>()
expectTypeOf(failures.errors).toEqualTypeOf<MillraceError[]>()
