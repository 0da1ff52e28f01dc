// The types of the test kit: inline or not, topics by name or by serdes.

import { expectTypeOf } from 'vitest'
import { json, string } from '../../src/index.ts'
import { testMillrace } from '../../src/testing.ts'
import type { InlineMillrace, TestMillrace, TestRecord } from '../../src/testing.ts'

const kit = await testMillrace()
expectTypeOf(kit).toEqualTypeOf<TestMillrace>()
// @ts-expect-error time is not his to move
void kit.advance(1)

const inline = await testMillrace({ inline: true, seed: 7 })
expectTypeOf(inline).toEqualTypeOf<InlineMillrace>()
void inline.advance(60_000)

const clicks = await kit.millrace.topic('clicks', { key: string(), value: json<{ page: string }>() })
expectTypeOf(kit.records(clicks)).resolves.toEqualTypeOf<TestRecord<string, { page: string }>[]>()
expectTypeOf(kit.records('clicks')).resolves.toEqualTypeOf<TestRecord[]>()
expectTypeOf(kit.expectRecords(clicks, [{ value: { page: '/' } }])).resolves.toEqualTypeOf<TestRecord<string, { page: string }>[]>()
void kit.produce(clicks, [{ key: 'a', value: { page: '/' } }])
// @ts-expect-error of another type
void kit.produce(clicks, [{ key: 'a', value: 7 }])
// @ts-expect-error a key is required
void kit.produce(clicks, [{ value: { page: '/' } }])
void kit.produce('clicks', [{ value: { any: 'thing' } }, { key: 'a', value: null }])
expectTypeOf(kit.until(Promise.resolve(7))).resolves.toEqualTypeOf<number>()
