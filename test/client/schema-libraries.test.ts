// The schema libraries that people bring: zod, valibot and arktype, each as it is
// published, through a whole millrace. What differs between them is hidden by Standard
// Schema; this shows that it is.

import { type } from 'arktype'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { MillraceError, defineTopic, json, msgpack, nullable, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Serde, StandardSchema } from '../../src/index.ts'

let millrace: EmbeddedMillrace
beforeAll(async () => {
  millrace = await openMillrace()
})
afterAll(() => millrace.close())

/** What `send` takes, and what records carry: a default is filled in, and the page is trimmed. */
interface ClickInput {
  page: string
  count?: number | undefined
}
interface Click {
  page: string
  count: number
}

const zodClick = z.object({ page: z.string().trim().min(1), count: z.number().int().default(1) })
const valibotClick = v.object({
  page: v.pipe(v.string(), v.trim(), v.minLength(1)),
  count: v.optional(v.pipe(v.number(), v.integer()), 1),
})
const arktypeClick = type({ page: type('string.trim').to('string > 0'), count: 'number.integer = 1' })

const LIBRARIES: readonly [string, StandardSchema<ClickInput, Click>][] = [
  ['zod', zodClick],
  ['valibot', valibotClick],
  ['arktype', arktypeClick],
]

test('types: what is sent and what is read come from the schema', () => {
  expectTypeOf(json(zodClick)).toExtend<Serde<Click, ClickInput>>()
  expectTypeOf(json(valibotClick)).toExtend<Serde<Click, ClickInput>>()
  // arktype tells a count that is missing from one that is undefined.
  expectTypeOf(msgpack(arktypeClick)).toExtend<Serde<Click, { page: string; count?: number }>>()
})

describe.each(LIBRARIES)('%s', (library, schema) => {
  test.each([
    ['json', json(schema)],
    ['msgpack', msgpack(schema)],
  ] as const)('%s: the input goes in, the output comes out', async (encoding, value) => {
    const topic = await millrace.topic(defineTopic(`${library}-${encoding}`, { key: string(), value }))
    await millrace.producer().send(topic, { key: 'a', value: { page: '  /home ' } })
    const read: unknown[] = []
    for await (const record of millrace.consumer().records(topic, { until: 'end' })) read.push(record.value)
    expect(read).toEqual([{ page: '/home', count: 1 }])
  })

  test('what does not fit is refused on send, says where, and nothing is sent', async () => {
    const topic = await millrace.topic(defineTopic(`${library}-refusals`, { value: json(schema) }))
    const producer = millrace.producer()
    const sent = producer.send(topic, { value: { page: '/', count: 1.5 } })
    const error = await sent.then(
      () => undefined,
      (reason: unknown) => reason as MillraceError,
    )
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ code: 'SERIALIZATION' })
    expect(error?.message).toContain(topic.name)
    expect(error?.message).toContain('count')
    expect(() => producer.offer(topic, null, { page: '' })).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }) as Error)
    await producer.flush()
    expect((await millrace.admin.describeTopic(topic.name)).partitions[0]?.endOffset).toBe(0)
  })

  test("validate 'both' finds on reading what was written without the schema", async () => {
    const name = `${library}-both`
    const anything = await millrace.topic(defineTopic(name, { value: nullable(json()) }))
    await millrace.producer().sendAll(anything, [{ value: { page: '/a', count: 3 } }, { value: { page: 7 } }])
    const checked = await millrace.topic(defineTopic(name, { value: json(schema), validate: 'both' }))
    const outcomes: unknown[] = []
    for await (const record of millrace.consumer().records(checked, { until: 'end' })) {
      try {
        outcomes.push(record.value)
      } catch (error) {
        outcomes.push((error as MillraceError).code, record.offset)
      }
    }
    expect(outcomes).toEqual([{ page: '/a', count: 3 }, 'DESERIALIZATION', 1])
  })
})

test('an asynchronous schema is refused when the topic is defined', () => {
  const zodAsync = z.string().refine(async () => true)
  const valibotAsync = v.pipeAsync(
    v.string(),
    v.checkAsync(async () => true),
  )
  for (const schema of [zodAsync, valibotAsync]) {
    expect(() => json(schema as unknown as StandardSchema<string>)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }) as Error)
  }
})
