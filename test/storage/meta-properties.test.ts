import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProperties, parseProperties } from '../../src/storage/java-properties.ts'
import { decodeMetaProperties, encodeMetaProperties } from '../../src/storage/meta-properties.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'
import type { MetaProperties } from '../../src/storage/meta-properties.ts'

const SEED = 5
const UUID = 'I2VQ3prYmWtKi63HjZ-xow'

const someUnit = fc.oneof(
  fc.constantFrom(...' \t\f\r\n\\=:#!u0a'),
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
)
const someText = fc.array(someUnit, { maxLength: 8 }).map((units) => units.join(''))

const someMeta: fc.Arbitrary<MetaProperties> = fc.record({
  clusterId: fc.oneof(fc.constant(UUID), someText).filter((text) => text !== ''),
  nodeId: fc.nat(0x7fff_ffff),
  directoryId: fc.option(
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    { nil: undefined },
  ),
})

test('any keys and values are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someText, someText)), someText, (entries, comment) => {
      const properties = new Map(entries)
      expect(parseProperties(formatProperties(properties, comment))).toEqual(properties)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('text as Java writes it', () => {
  const entries: [string, string][] = [
    ['a b', ' c d'],
    ['é', '\t\\=:#!\n'],
  ]
  expect(formatProperties(entries, 'x\ny')).toBe('#x y\na\\ b=\\ c d\n\\u00E9=\\t\\\\\\=\\:\\#\\!\\n\n')
})

test.each([
  ['comments and blank lines', '# a=b\n  ! c=d\n\n \t\f\ne=f', { e: 'f' }],
  ['other signs', 'a:b\nc d\ne = f\ng\t:\th\n', { a: 'b', c: 'd', e: 'f', g: 'h' }],
  ['one sign only', 'a==b\nc:=d\n', { a: '=b', c: '=d' }],
  ['no value, no key', 'a\nb=\n=c\n', { a: '', b: '', '': 'c' }],
  ['lines that go on', 'a=b\\\n   c\\\r\n\td\ne=\\\\\nf=g', { a: 'bcd', e: '\\', f: 'g' }],
  ['a comment is none inside a line', 'a=b\\\n#c\n', { a: 'b#c' }],
  ['a comment does not go on', '#a\\\nb=c\n', { b: 'c' }],
  ['escapes', 'a\\=b\\:c=\\u00e9\\u004A\\t\\q\n', { 'a=b:c': 'éJ\tq' }],
  ['a short \\u', 'a=\\u12\n', { a: 'u12' }],
  ['a backslash at the end', 'a=b\\', { a: 'b' }],
  ['nothing but a backslash', '\\\n', {}],
  ['line ends of three kinds', 'a=1\rb=2\r\nc=3\n', { a: '1', b: '2', c: '3' }],
  ['a key twice', 'a=1\na=2\n', { a: '2' }],
])('%s', (_, text, expected) => {
  expect(Object.fromEntries(parseProperties(text))).toEqual(expected)
})

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(someMeta, (meta) => {
      expect(decodeMetaProperties(PATH, encodeMetaProperties(meta))).toEqual(meta)
    }),
    { seed: SEED, numRuns: 300 },
  )
  expect(encodeMetaProperties({ clusterId: 'c', nodeId: 1, directoryId: UUID })).toBe(
    `#\nversion=1\ncluster.id=c\nnode.id=1\ndirectory.id=${UUID}\n`,
  )
})

test('other keys are read over, and the order is free', () => {
  const text = `node.id = 3\n#Mon Nov 23\nbroker.id=7\ncluster.id:c\nversion 1\n`
  expect(decodeMetaProperties(PATH, text)).toEqual({ clusterId: 'c', nodeId: 3, directoryId: undefined })
})

test.each([
  ['a newer version', 'version=2\ncluster.id=c\nnode.id=1\n', 'UNSUPPORTED_VERSION', 'format version 2'],
  ['a version of ZooKeeper', 'version=0\nbroker.id=1\ncluster.id=c\n', 'UNSUPPORTED_VERSION', 'ZooKeeper'],
  ['no version', 'broker.id=1\ncluster.id=c\n', 'UNSUPPORTED_VERSION', 'ZooKeeper'],
  ['nothing', '', 'KAFKA_STORAGE_ERROR', 'no version'],
  ['a version that is no number', 'version=one\n', 'KAFKA_STORAGE_ERROR', 'no version'],
  ['no cluster', 'version=1\nnode.id=1\n', 'KAFKA_STORAGE_ERROR', 'cluster.id'],
  ['no node', 'version=1\ncluster.id=c\n', 'KAFKA_STORAGE_ERROR', 'node.id'],
  ['a negative node', 'version=1\ncluster.id=c\nnode.id=-1\n', 'KAFKA_STORAGE_ERROR', 'node.id'],
  ['a node beyond 32 bits', 'version=1\ncluster.id=c\nnode.id=2147483648\n', 'KAFKA_STORAGE_ERROR', 'node.id'],
  ['a directory id that is none', 'version=1\ncluster.id=c\nnode.id=1\ndirectory.id=x\n', 'KAFKA_STORAGE_ERROR', 'directory.id'],
])('%s: refused', (_, text, code, found) => {
  const error = refusalOf(() => decodeMetaProperties(PATH, text))
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(found)])
})

test('damage is refused or gives a directory that belongs to somebody', () => {
  let refused = 0
  fc.assert(
    fc.property(someMeta, damages, (meta, done) => {
      const text = Buffer.from(damaged(Buffer.from(encodeMetaProperties(meta)), done)).toString('latin1')
      const read = readOrRefused(() => decodeMetaProperties(PATH, text))
      if (read === undefined) refused++
      else expect(decodeMetaProperties(PATH, encodeMetaProperties(read))).toEqual(read)
    }),
    { seed: SEED, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
