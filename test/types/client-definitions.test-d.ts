import { expectTypeOf } from 'vitest'
import { msgpack } from '../../src/client/msgpack-serde.ts'
import { bytes, json, nullable, string } from '../../src/client/serde.ts'
import { defineTopic } from '../../src/client/topic-definition.ts'
import type { ConsumerOptions } from '../../src/client/consumer/consumer-config.ts'
import type { MillraceOptions } from '../../src/client/millrace-config.ts'
import type { FilledProducerOptions, ProducerOptions } from '../../src/client/producer/producer-config.ts'
import type { Serde } from '../../src/client/serde.ts'
import type { InferInput, InferOutput, StandardSchema } from '../../src/client/standard-schema.ts'
import type { TopicConfig, TopicConfigOptions } from '../../src/config/topic-config.ts'
import type { KeyToSend, Topic, TopicDefinition } from '../../src/client/topic-definition.ts'

interface Click {
  readonly page: string
}

// --- serdes

expectTypeOf(bytes()).toEqualTypeOf<Serde<Uint8Array<ArrayBuffer>, Uint8Array>>()
expectTypeOf(string()).toEqualTypeOf<Serde<string, string>>()
expectTypeOf(json()).toEqualTypeOf<Serde<unknown, unknown>>()
expectTypeOf(json<Click>()).toEqualTypeOf<Serde<Click, Click>>()
expectTypeOf(msgpack<Click>()).toEqualTypeOf<Serde<Click, Click>>()
expectTypeOf(nullable(string())).toEqualTypeOf<Serde<string | null, string | null>>()
expectTypeOf(nullable(bytes())).toEqualTypeOf<Serde<Uint8Array<ArrayBuffer> | null, Uint8Array | null>>()

// Node's Buffer is bytes.
bytes().serialize(Buffer.from('x'))
// @ts-expect-error: text is none
bytes().serialize('x')
// @ts-expect-error: null needs nullable()
string().serialize(null)

// --- schemas: what is sent and what is read may differ

declare const trimmed: StandardSchema<{ page: string; at?: string }, { page: string; at: number }>
expectTypeOf<InferInput<typeof trimmed>>().toEqualTypeOf<{ page: string; at?: string }>()
expectTypeOf<InferOutput<typeof trimmed>>().toEqualTypeOf<{ page: string; at: number }>()
expectTypeOf(json(trimmed)).toEqualTypeOf<Serde<{ page: string; at: number }, { page: string; at?: string }>>()
expectTypeOf(msgpack(trimmed)).toEqualTypeOf<Serde<{ page: string; at: number }, { page: string; at?: string }>>()

// Null goes through nullable(), never through a schema.
declare const perhaps: StandardSchema<string | null | undefined, string>
expectTypeOf(json(perhaps)).toEqualTypeOf<Serde<string, string>>()
expectTypeOf(nullable(json(perhaps))).toEqualTypeOf<Serde<string | null, string | null>>()

// The published types of @standard-schema/spec 1, in their own words, are taken as they are.
interface PublishedSchema<Input, Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
      options?: { readonly libraryOptions?: Record<string, unknown> | undefined },
    ) => PublishedResult<Output> | Promise<PublishedResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}
type PublishedResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }
declare const published: PublishedSchema<string, number>
expectTypeOf(json(published)).toEqualTypeOf<Serde<number, string>>()
// A schema may be a function too, as arktype's are.
declare const callable: PublishedSchema<string, number> & ((value: unknown) => number)
expectTypeOf(msgpack(callable)).toEqualTypeOf<Serde<number, string>>()
// @ts-expect-error: this is no schema
json({ type: 'object' })

// --- topics: keys and values come from the serdes

expectTypeOf(defineTopic('plain')).toEqualTypeOf<TopicDefinition<string | null, unknown, string | null, unknown>>()
expectTypeOf(defineTopic('plain', { partitions: 3 })).toEqualTypeOf<TopicDefinition<string | null, unknown, string | null, unknown>>()
expectTypeOf(defineTopic('values', { value: json<Click>() })).toEqualTypeOf<TopicDefinition<string | null, Click, string | null, Click>>()
expectTypeOf(defineTopic('both', { key: string(), value: json(trimmed) })).toEqualTypeOf<
  TopicDefinition<string, { page: string; at: number }, string, { page: string; at?: string }>
>()
expectTypeOf(defineTopic('keys', { key: nullable(bytes()) })).toEqualTypeOf<
  TopicDefinition<Uint8Array<ArrayBuffer> | null, unknown, Uint8Array | null, unknown>
>()

const celsius = defineTopic('celsius', {
  value: {
    serialize: (degrees: number) => String(degrees),
    deserialize: (view) => {
      expectTypeOf(view).toEqualTypeOf<Uint8Array<ArrayBuffer>>()
      return view.length
    },
  },
})
expectTypeOf(celsius).toEqualTypeOf<TopicDefinition<string | null, number, string | null, number>>()

// @ts-expect-error: a serde is called
defineTopic('wrong', { key: string })
// @ts-expect-error: a schema needs json() or msgpack() around it
defineTopic('wrong', { value: trimmed })
// @ts-expect-error: serialize gives bytes or text
defineTopic('wrong', { value: { serialize: (n: number) => n, deserialize: () => 1 } })
// @ts-expect-error: there is no such option
defineTopic('wrong', { numPartitions: 3 })
// @ts-expect-error: there is no such config
defineTopic('wrong', { config: { 'retention.mss': 1 } })
// @ts-expect-error: configs are numbers, not text
defineTopic('wrong', { config: { 'retention.ms': '1' } })
// @ts-expect-error: there are two ways to validate
defineTopic('wrong', { validate: 'consume' })
// @ts-expect-error: a definition is not for others to change
celsius.name = 'fahrenheit'

// --- sending and reading through a bound topic, as a producer and a consumer will

declare function send<K, V, KIn, VIn>(
  topic: Topic<K, V, KIn, VIn>,
  record: KeyToSend<NoInfer<KIn>> & { readonly value: NoInfer<VIn> },
): void
declare function read<K, V, KIn, VIn>(topic: Topic<K, V, KIn, VIn>): { readonly key: K; readonly value: V }
declare function bind<K, V, KIn, VIn>(definition: TopicDefinition<K, V, KIn, VIn>): Topic<K, V, KIn, VIn>

const keyed = bind(defineTopic('keyed', { key: string(), value: json(trimmed) }))
send(keyed, { key: 'a', value: { page: '/' } })
expectTypeOf(read(keyed)).toEqualTypeOf<{ readonly key: string; readonly value: { page: string; at: number } }>()
// @ts-expect-error: a topic with a key serde requires a key
send(keyed, { value: { page: '/' } })
// @ts-expect-error: null is no key here
send(keyed, { key: null, value: { page: '/' } })
// @ts-expect-error: the schema takes text for this
send(keyed, { key: 'a', value: { page: '/', at: 5 } })
// @ts-expect-error: null needs nullable()
send(keyed, { key: 'a', value: null })

const keyless = bind(defineTopic('keyless', { value: nullable(string()) }))
send(keyless, { value: 'a' })
send(keyless, { key: 'k', value: 'a' })
send(keyless, { key: null, value: null })
// @ts-expect-error: keys are text or null where there is no key serde
send(keyless, { key: 5, value: 'a' })
// @ts-expect-error: a value that was forgotten is no tombstone
send(keyless, { key: 'k' })

// Any topic fits where types do not matter; a topic of another type does not.
declare function describe(topic: Topic<unknown, unknown, never, never>): string
describe(keyed)
describe(keyless)
declare function count(topic: Topic<string, number>): number
// @ts-expect-error: its values are no numbers
count(keyed)
expectTypeOf(keyed.topicId).toEqualTypeOf<string>()

// --- options

expectTypeOf<FilledProducerOptions['acks']>().toEqualTypeOf<0 | 1 | 'all'>()
expectTypeOf<ProducerOptions['lingerMs']>().toEqualTypeOf<number | undefined>()
export const producer: ProducerOptions = {
  acks: 1,
  lingerMs: 5,
  partitioner: (key, partitionCount, topic) => (key?.length ?? topic.length) % partitionCount,
}
// @ts-expect-error: Kafka's -1 is 'all' here
export const quorum: ProducerOptions = { acks: -1 }
// @ts-expect-error: units are last in names
export const linger: ProducerOptions = { linger: 5 }
export const member: ConsumerOptions = { groupId: 'dashboard' }
export const onDisk: MillraceOptions = { dataDir: './data' }
export const configs: TopicConfigOptions = { 'cleanup.policy': 'delete', 'retention.ms': -1, 'millrace.durability': 'memory' }
expectTypeOf<TopicConfig['cleanup.policy']>().toEqualTypeOf<readonly ('delete' | 'compact')[]>()
// @ts-expect-error: there is no such level
export const durability: TopicConfigOptions = { 'millrace.durability': 'fsync' }
