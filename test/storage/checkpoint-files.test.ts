// The text files of a log directory: checkpoints, the topic's id, the mark of a clean stop.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTopicId } from '../../src/ids.ts'
import { decodeCleanShutdown, encodeCleanShutdown } from '../../src/storage/clean-shutdown-file.ts'
import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint } from '../../src/storage/leader-epoch-checkpoint.ts'
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../src/storage/offset-checkpoint.ts'
import { decodePartitionMetadata, encodePartitionMetadata } from '../../src/storage/partition-metadata-file.ts'
import { PATH, damaged, damages, readOrRefused, refusalOf } from './damage.ts'
import { someTopic } from './some-topic.ts'
import type { EpochStart } from '../../src/storage/leader-epoch-checkpoint.ts'
import type { PartitionOffset } from '../../src/storage/offset-checkpoint.ts'

const SEED = 5

const someEpochs: fc.Arbitrary<EpochStart[]> = fc
  .array(fc.record({ epoch: fc.integer({ min: 1, max: 9_000 }), startOffset: fc.nat(2 ** 31) }), { maxLength: 20 })
  .map((steps) => {
    let at: EpochStart = { epoch: -1, startOffset: 0 }
    return steps.map(({ epoch, startOffset }) => (at = { epoch: at.epoch + epoch, startOffset: at.startOffset + startOffset }))
  })

const someOffsets: fc.Arbitrary<PartitionOffset[]> = fc.uniqueArray(
  fc.record({ topic: someTopic, partition: fc.nat(0x7fff_ffff), offset: fc.maxSafeNat() }),
  { maxLength: 20, selector: ({ topic, partition }) => `${topic}-${partition}` },
)

const someTopicId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => parseTopicId(Buffer.from(bytes).toString('base64url')))

interface Format<T> {
  readonly some: fc.Arbitrary<T>
  readonly encode: (value: T) => string
  readonly decode: (path: string, text: string) => T
}

function held<T>(format: Format<T>): Format<unknown> {
  return format as unknown as Format<unknown>
}

const FORMATS: Readonly<Record<string, Format<unknown>>> = {
  'leader-epoch-checkpoint': held({ some: someEpochs, encode: encodeLeaderEpochCheckpoint, decode: decodeLeaderEpochCheckpoint }),
  'offset checkpoints': held({ some: someOffsets, encode: encodeOffsetCheckpoint, decode: decodeOffsetCheckpoint }),
  'partition.metadata': held({ some: someTopicId, encode: encodePartitionMetadata, decode: decodePartitionMetadata }),
  '.kafka_cleanshutdown': held({ some: fc.integer({ min: -1, max: 2 ** 31 }), encode: encodeCleanShutdown, decode: decodeCleanShutdown }),
}

describe.each(Object.entries(FORMATS))('%s', (_, { some, encode, decode }) => {
  test('what was encoded is decoded', () => {
    fc.assert(
      fc.property(some, (value) => {
        expect(decode(PATH, encode(value))).toEqual(value)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('damage is refused or gives what can be encoded and decoded again', () => {
    let refused = 0
    fc.assert(
      fc.property(some, damages, (value, done) => {
        const text = Buffer.from(damaged(Buffer.from(encode(value)), done)).toString('latin1')
        const read = readOrRefused(() => ({ value: decode(PATH, text) }))
        if (read === undefined) refused++
        else expect(decode(PATH, encode(read.value))).toEqual(read.value)
      }),
      { seed: SEED, numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(200)
  })

  test('cut short anywhere, it is refused', () => {
    fc.assert(
      fc.property(some, fc.nat(), (value, at) => {
        const text = encode(value)
        // An empty mark of a clean stop is one of Kafka before 3.7.
        refusalOf(() => decode(PATH, text.slice(0, 1 + (at % (text.length - 1)))))
      }),
      { seed: SEED, numRuns: 300 },
    )
  })
})

test('texts as Kafka writes them', () => {
  expect(encodeLeaderEpochCheckpoint([])).toBe('0\n0\n')
  expect(
    encodeLeaderEpochCheckpoint([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 1200 },
    ]),
  ).toBe('0\n2\n0 0\n3 1200\n')
  expect(encodeOffsetCheckpoint([{ topic: 'a-b', partition: 2, offset: 5 }])).toBe('0\n1\na-b 2 5\n')
  const id = 'I2VQ3prYmWtKi63HjZ-xow'
  expect(encodePartitionMetadata(parseTopicId(id))).toBe(`version: 0\ntopic_id: ${id}`)
  expect(encodeCleanShutdown(402)).toBe('{"version":0,"brokerEpoch":402}')
  expect(decodeCleanShutdown(PATH, '')).toBe(-1)
})

test('what no file may hold is not written', () => {
  const fallen = [
    { epoch: 2, startOffset: 5 },
    { epoch: 3, startOffset: 4 },
  ]
  expect(() => encodeLeaderEpochCheckpoint(fallen)).toThrow(/do not rise/)
  expect(() => encodeLeaderEpochCheckpoint([fallen[0]!, fallen[0]!])).toThrow(/do not rise/)
  expect(() => encodeOffsetCheckpoint([{ topic: 'a b', partition: 0, offset: 1 }])).toThrow(/no partition/)
  expect(() => encodeOffsetCheckpoint([{ topic: 'a', partition: 0, offset: -1 }])).toThrow(/no partition/)
})

const epochs = (text: string) => () => decodeLeaderEpochCheckpoint(PATH, text)
const offsets = (text: string) => () => decodeOffsetCheckpoint(PATH, text)
const topicId = (text: string) => () => decodePartitionMetadata(PATH, text)
const cleanStop = (text: string) => () => decodeCleanShutdown(PATH, text)

test.each([
  ['a checkpoint', epochs('1\n0\n')],
  ['a checkpoint of offsets', offsets('7\n1\na 0 0\n')],
  ['partition.metadata', topicId('version: 1\ntopic_id: I2VQ3prYmWtKi63HjZ-xow')],
  ['.kafka_cleanshutdown', cleanStop('{"version":1,"brokerEpoch":402}')],
])('%s of a newer format is refused, saying so', (_, call) => {
  const error = refusalOf(call)
  expect(error.code).toBe('UNSUPPORTED_VERSION')
  expect(error.message).toMatch(/has format version \d, and the newest that millrace reads is 0: open it with the newer release/)
})

test.each([
  ['nothing', epochs(''), 'no version in line 1'],
  ['no line feed at the end', epochs('0\n1\n0 12'), 'end of line 3'],
  ['no version', epochs('x\n0\n'), 'line 1'],
  ['fewer rows', epochs('0\n2\n0 0\n'), '1 rows, where line 2 says "2"'],
  ['more rows', epochs('0\n0\n0 0\n'), '1 rows'],
  ['an epoch that does not rise', epochs('0\n2\n1 0\n1 5\n'), '"1 5" in line 4'],
  ['an offset that falls', epochs('0\n2\n1 9\n2 5\n'), '"2 5" in line 4'],
  ['an epoch beyond 32 bits', epochs('0\n1\n2147483648 0\n'), 'line 3'],
  ['a negative offset', epochs('0\n1\n0 -1\n'), 'line 3'],
  ['a third word', epochs('0\n1\n0 0 0\n'), 'line 3'],
  ['a second word only', offsets('0\n1\na 0\n'), '"a 0" in line 3, where a topic, a partition and an offset'],
  ['an offset beyond 2^53', offsets('0\n1\na 0 9007199254740992\n'), 'line 3'],
  ['a name that is no topic', offsets('0\n1\na/b 0 1\n'), 'line 3'],
  ['a partition that is no number', offsets('0\n1\na 00 1\n'), 'line 3'],
  ['a partition twice', offsets('0\n2\na 0 1\na 0 2\n'), 'line 4'],
  ['control characters, not shown', offsets('0\n1\n\u0000\u001b[31m\n'), '"??[31m"'],
  ['no topic id', topicId('version: 0\n'), 'line 2'],
  ['the zero topic id', topicId('version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA'), 'AAAA'],
  ['a topic id that is none', topicId('version: 0\ntopic_id: I2VQ3prYmWtKi63HjZ-xoz'), 'xoz'],
  ['something behind the topic id', topicId('version: 0\ntopic_id: I2VQ3prYmWtKi63HjZ-xow\nx'), 'line 2'],
  ['no JSON', cleanStop('\0\0\0'), 'no JSON'],
  ['JSON that is no object', cleanStop('7'), 'no object'],
  ['no broker epoch', cleanStop('{"version":0}'), 'brokerEpoch'],
])('%s: refused', (_, call, found) => {
  const error = refusalOf(call)
  expect([error.code, error.message]).toEqual(['KAFKA_STORAGE_ERROR', expect.stringContaining(found)])
})

test.each([
  ['recovery-point-offset-checkpoint', 'read from its start'],
  ['replication-offset-checkpoint', 'found anew'],
  ['log-start-offset-checkpoint', 'deleteRecords'],
  ['cleaner-offset-checkpoint', 'compaction then begins'],
])('%s: an error says what deleting it costs', (name, words) => {
  expect(() => decodeOffsetCheckpoint(`some/dir/${name}`, '')).toThrow(words)
})
