import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/protocol/decoder.ts'
import { encodeMessage } from '../../src/protocol/encoder.ts'
import { seededRandom } from '../../src/random.ts'
import { ALL_SCHEMAS, ALL_VERSIONS } from './all-schemas.ts'
import { SERVED_APIS } from './generate-schemas.ts'
import { randomMessage } from './random-message.ts'
import { referenceEncode } from './reference-encoder.ts'
import { readFacts } from './schema-facts.ts'
import type { FactMessage, Facts } from './schema-facts.ts'

const SEED = 20_260_801
const TRUSTED = { allocationLimitBytes: Number.POSITIVE_INFINITY }
const facts = readFacts()

describe(`every message in every version (seed ${SEED})`, () => {
  test('comes back as it was, and then gives the same bytes', () => {
    const random = seededRandom(SEED)
    for (const [schema, version] of ALL_VERSIONS) {
      for (let i = 0; i < 5; i++) {
        const message = randomMessage(schema, version, random)
        const bytes = encodeMessage(schema, version, message)
        const decoded = decodeMessage(schema, version, bytes, TRUSTED)
        expect(decoded, `${schema.name} v${version}`).toEqual(message)
        expect(Object.keys(decoded)).toEqual(schema.fields.map(({ name }) => name))
        expect(Buffer.from(encodeMessage(schema, version, decoded)).equals(bytes), `${schema.name} v${version}`).toBe(true)
      }
    }
    expect(ALL_VERSIONS.length).toBeGreaterThan(380)
  })

  test('may be all defaults', () => {
    for (const [schema, version] of ALL_VERSIONS) {
      const bytes = encodeMessage(schema, version, {})
      const decoded = decodeMessage(schema, version, bytes)
      expect(encodeMessage(schema, version, decoded)).toEqual(bytes)
    }
  })

  test.skipIf(facts === undefined)(
    `has the bytes that a second encoder makes from the facts alone${facts === undefined ? ' (skipped: the facts are not here)' : ''}`,
    () => {
      const random = seededRandom(SEED + 1)
      const messages = factMessages(facts!)
      expect(ALL_SCHEMAS.filter(({ name }) => !messages.has(name))).toEqual([])
      for (const [schema, version] of ALL_VERSIONS) {
        for (let i = 0; i < 5; i++) {
          const message = randomMessage(schema, version, random)
          const bytes = Buffer.from(encodeMessage(schema, version, message))
          const expected = referenceEncode(messages.get(schema.name)!, version, message)
          if (!bytes.equals(expected)) expect(bytes.toString('hex'), `${schema.name} v${version}`).toBe(expected.toString('hex'))
        }
      }
    },
  )
})

function factMessages({ apis, metadata, group, transaction, control }: Facts): Map<string, FactMessage> {
  const all: FactMessage[] = [...metadata, ...group, ...transaction, ...control]
  for (const { apiKey, name, request, response } of apis) {
    if (SERVED_APIS.includes(apiKey)) all.push({ ...request, name: `${name}Request` }, { ...response, name: `${name}Response` })
  }
  return new Map(all.map((message) => [message.name, message]))
}
