import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LEFTOVER_STATES, SEGMENT_FILE_KINDS, logFileName, parseLogDirectory, parseLogFileName } from '../../src/storage/log-file-names.ts'
import {
  DIRECTORY_STATES,
  movedPartitionDirectoryName,
  parsePartitionDirectoryName,
  partitionDirectoryName,
} from '../../src/storage/partition-directory-name.ts'
import { PATH, readOrRefused, refusalOf } from './damage.ts'
import { someTopic } from './some-topic.ts'

const SEED = 5
const ID = 'cbd1a7b5a2f84a3db1a4d3b0a0b1c2d3'

const someState = fc.option(fc.constantFrom(...LEFTOVER_STATES), { nil: undefined })

test('a name that was made is taken apart again', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(...SEGMENT_FILE_KINDS), someState, (baseOffset, kind, state) => {
      const name = logFileName(baseOffset, kind, state)
      expect(name).toMatch(/^\d{20}\./)
      expect(parseLogFileName(PATH, name)).toEqual({ baseOffset, kind, state })
    }),
    { seed: SEED, numRuns: 300 },
  )
  expect(logFileName(4059, 'log')).toBe('00000000000000004059.log')
  expect(logFileName(0, 'snapshot', 'deleted')).toBe('00000000000000000000.snapshot.deleted')
  expect(() => logFileName(-1, 'log')).toThrow(/named after an offset/)
})

test.each(['4059.log', '000000000000000004059.log', '00000000000000004059.logs', '00000000000000004059.log.tmp', 'x.log', '.log', ''])(
  '"%s" is no file of a log',
  (name) => {
    expect(parseLogFileName(PATH, name)).toBeUndefined()
  },
)

test('a directory in the middle of everything', () => {
  const names = [
    '00000000000000001600.log',
    '00000000000000001600.timeindex',
    '00000000000000001600.snapshot',
    '00000000000000000000.log',
    '00000000000000000000.index',
    '00000000000000000000.timeindex',
    '00000000000000000000.txnindex',
    '00000000000000000400.log.deleted',
    '00000000000000000400.index.deleted',
    '00000000000000000000.log.swap',
    '00000000000000001600.log.cleaned',
    '00000000000000000800.index',
    '00000000000000000900.snapshot',
    'leader-epoch-checkpoint',
    'partition.metadata',
    'notes.txt',
  ]
  const listing = parseLogDirectory('compacted-0', names)
  expect(listing.segments).toEqual([
    { baseOffset: 0, hasOffsetIndex: true, hasTimeIndex: true, hasTransactionIndex: true },
    { baseOffset: 1600, hasOffsetIndex: false, hasTimeIndex: true, hasTransactionIndex: false },
  ])
  expect(listing.snapshotOffsets).toEqual([900, 1600])
  expect(listing.leftovers.map(({ name, state }) => [name, state])).toEqual([
    ['00000000000000000000.log.swap', 'swap'],
    ['00000000000000000400.index.deleted', 'deleted'],
    ['00000000000000000400.log.deleted', 'deleted'],
    ['00000000000000001600.log.cleaned', 'cleaned'],
  ])
  expect(listing.orphans).toEqual(['00000000000000000800.index'])
  expect(listing.others).toEqual(['leader-epoch-checkpoint', 'notes.txt', 'partition.metadata'])
})

test('every name of a directory is somewhere, whatever there is', () => {
  const someName = fc.oneof(
    fc.tuple(fc.nat(5), fc.constantFrom(...SEGMENT_FILE_KINDS), someState).map(([offset, kind, state]) => logFileName(offset, kind, state)),
    fc.string({ maxLength: 30 }),
    fc.stringMatching(/^\d{18,22}\.(log|index)$/),
  )
  fc.assert(
    fc.property(fc.uniqueArray(someName, { maxLength: 40 }), (names) => {
      const listing = readOrRefused(() => parseLogDirectory(PATH, names))
      if (listing === undefined) expect(names.some((name) => Number(name.slice(0, 20)) > Number.MAX_SAFE_INTEGER)).toBe(true)
      if (listing === undefined) return
      const { segments, snapshotOffsets, leftovers, orphans, others } = listing
      const told = [
        ...snapshotOffsets.map((offset) => logFileName(offset, 'snapshot')),
        ...leftovers.map(({ name }) => name),
        ...orphans,
        ...others,
      ]
      for (const { baseOffset, hasOffsetIndex, hasTimeIndex, hasTransactionIndex } of segments) {
        told.push(logFileName(baseOffset, 'log'))
        if (hasOffsetIndex) told.push(logFileName(baseOffset, 'index'))
        if (hasTimeIndex) told.push(logFileName(baseOffset, 'timeindex'))
        if (hasTransactionIndex) told.push(logFileName(baseOffset, 'txnindex'))
      }
      expect(told.sort()).toEqual([...names].sort())
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('an offset that millrace cannot count to is refused: its records would be missed', () => {
  const error = refusalOf(() => parseLogDirectory(PATH, ['09223372036854775807.log']))
  expect(error.message).toContain('09223372036854775807.log')
})

test('a partition directory that was made is taken apart again', () => {
  fc.assert(
    fc.property(someTopic, fc.nat(0x7fff_ffff), fc.constantFrom(...DIRECTORY_STATES), (topic, partition, state) => {
      expect(parsePartitionDirectoryName(partitionDirectoryName(topic, partition))).toEqual({
        topic,
        partition,
        state: undefined,
        uniqueId: undefined,
      })
      if (state === 'future' && topic.length > 150) return
      const moved = movedPartitionDirectoryName(topic, partition, ID, state)
      expect(moved.length).toBeLessThanOrEqual(255)
      const parsed = parsePartitionDirectoryName(moved)!
      expect(parsed).toEqual({ topic: parsed.topic, partition, state, uniqueId: ID })
      expect(topic.startsWith(parsed.topic)).toBe(true)
      if (topic.length < 150) expect(parsed.topic).toBe(topic)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('names as Kafka makes them', () => {
  expect(partitionDirectoryName('a-b', 3)).toBe('a-b-3')
  expect(movedPartitionDirectoryName('a-b', 3, ID, 'delete')).toBe(`a-b-3.${ID}-delete`)
  expect(movedPartitionDirectoryName('t'.repeat(249), 3, ID, 'stray')).toBe(`${'t'.repeat(214)}-3.${ID}-stray`)
  expect(() => movedPartitionDirectoryName('t'.repeat(249), 3, ID, 'future')).toThrow(/cannot be copied/)
  expect(() => movedPartitionDirectoryName('t', 3, 'x', 'delete')).toThrow(/32 hexadecimal/)
  expect(() => partitionDirectoryName('a/b', 3)).toThrow(/no partition/)
  expect(() => partitionDirectoryName('a', -1)).toThrow(/no partition/)
})

test.each([
  'access',
  'access-',
  '-0',
  'access-00',
  'access-2147483648',
  'a b-0',
  '..-0',
  `access-0.${ID}`,
  `access-0.${ID}-gone`,
  `access.${ID}-delete`,
])('"%s" is no partition directory', (name) => {
  expect(parsePartitionDirectoryName(name)).toBeUndefined()
})
