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
