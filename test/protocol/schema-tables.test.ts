import { describe, expect, test } from 'vitest'
import { API_KEYS, apiKey, findApiKey, isApiVersionKnown } from '../../src/protocol/api-keys.ts'
import { API_MESSAGES } from '../../src/protocol/api-messages.ts'
import { parseFields, parseVersions } from '../../src/protocol/schema.ts'
import { ALL_VERSIONS } from './all-schemas.ts'
import { generateSchemas, readSource } from './generate-schemas.ts'
import { readFacts, readReference } from './schema-facts.ts'
import type { StructPlan } from '../../src/protocol/struct-plan.ts'

const facts = readFacts()
const apiPages = readReference('kafka.md')

describe('the tables', () => {
  test.skipIf(facts === undefined)(`are what the facts make${facts === undefined ? ' (skipped: the facts are not here)' : ''}`, () => {
    for (const [path, text] of generateSchemas(facts!)) expect(readSource(path), path).toBe(text)
  })

  test('name every version of an API once, for its request and its response alike', () => {
    expect(API_KEYS.length).toBe(59)
    expect(new Set(API_KEYS.map(({ key }) => key)).size).toBe(API_KEYS.length)
    for (const api of API_KEYS) {
      const { request, response } = API_MESSAGES[api.name]
      for (const schema of [request, response]) {
        expect([schema.minVersion, schema.maxVersion, schema.flexibleFrom], schema.name).toEqual([
          api.minVersion,
          api.maxVersion,
          api.flexibleFrom,
        ])
      }
      expect(request.name).toBe(`${api.name}Request`)
      expect(response.name).toBe(`${api.name}Response`)
    }
  })

  test.skipIf(apiPages === undefined)(
    `hold the APIs that clients need, and advertise what Kafka serves${apiPages === undefined ? ' (skipped: the facts are not here)' : ''}`,
    () => {
      const rows = [...apiPages!.matchAll(/^\| (\d+) \| \w+ \| (.*)$/gm)].map(([line]) =>
        line.split('|').map((cell) => cell.replaceAll('*', '').trim()),
      )
      const needed = rows.filter((cells) => /^P[0-3]/.test(cells[10] ?? ''))
      expect(needed.length).toBe(59)
      for (const [, key, name, serve] of needed) {
        const api = findApiKey(Number(key))
        expect(api?.name).toBe(name)
        const [first, last] = /advertise (\d+)-(\d+)|(\d+)(?:-(\d+))?/
          .exec(serve!)!
          .slice(1)
          .filter((text) => text !== undefined)
        expect([api!.advertisedMin, api!.advertisedMax], name).toEqual([Number(first), Number(last ?? first)])
      }
    },
  )

  test('have no array whose elements may take no bytes: its count would be held by nothing', () => {
    const weightless: string[] = []
    const check = (plan: StructPlan): void => {
      for (const struct of plan.structs) {
        if (struct === undefined) continue
        if (struct.minBytes === 0) weightless.push(struct.label)
        check(struct)
      }
    }
    for (const [schema, version] of ALL_VERSIONS) check(schema.plan(version))
    // In these versions the array itself is not there.
    for (const label of weightless) expect(isArrayAbsent(label), label).toBe(true)
  })
})

function isArrayAbsent(label: string): boolean {
  const [, name, version, path] = /^(\w+) v(\d+) (.+)$/.exec(label)!
  const schema = ALL_VERSIONS.find(([candidate]) => candidate.name === name)![0]
  const plan = schema.plan(Number(version))
  return plan.operations[plan.names.indexOf(path!.split(' ')[0]!)] === 0
}

describe('api keys', () => {
  test('are found by number and by name', () => {
    expect(findApiKey(1)).toMatchObject({ key: 1, name: 'Fetch', minVersion: 4, maxVersion: 18, flexibleFrom: 12 })
    expect(apiKey('Fetch')).toBe(findApiKey(1))
    expect(findApiKey(4)).toBeUndefined()
  })

  test('know versions that can be read, not those only advertised', () => {
    expect(isApiVersionKnown(0, 2)).toBe(false)
    expect(isApiVersionKnown(0, 3)).toBe(true)
    expect(isApiVersionKnown(0, 14)).toBe(false)
    expect(isApiVersionKnown(999, 0)).toBe(false)
    expect(apiKey('Produce').advertisedMin).toBe(0)
    expect(apiKey('InitProducerId')).toMatchObject({ maxVersion: 6, advertisedMax: 5 })
  })
})

describe('a table', () => {
  test('says of each field its type, versions, nullability, tag, default and whether it may be dropped', () => {
    const [name, ids, owner] = parseFields(['name string -12 ?10+ =null ~', 'ids []uuid #3 2+', 'owner {} ? 1-2 {', 'age int8 =-1', '}'])
    expect(name).toMatchObject({ name: 'name', kind: 'string', isArray: false, tag: undefined, defaultValue: null, isIgnorable: true })
    expect(name).toMatchObject({ versions: { first: 0, last: 12 }, nullable: { first: 10, last: Infinity } })
    expect(ids).toMatchObject({ kind: 'uuid', isArray: true, tag: 3, defaultValue: undefined, versions: { first: 2, last: Infinity } })
    expect(owner).toMatchObject({
      kind: 'struct',
      versions: { first: 1, last: 2 },
      fields: [{ name: 'age', kind: 'int8', defaultValue: -1 }],
    })
  })

  test('that cannot be read is refused', () => {
    expect(() => parseFields(['name text'])).toThrow('"text" is the type of "name"')
    expect(() => parseFields(['owner {} {', 'age int8'])).toThrow('is closed')
    expect(() => parseFields(['age int8', '}'])).toThrow('ends where its lines end')
    expect(() => parseFields(['age int8 =old'])).toThrow('"old" is a default')
    expect(() => parseVersions('new')).toThrow('"new" names versions')
  })
})
