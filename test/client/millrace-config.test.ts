import { expect, test } from 'vitest'
import { fillMillraceOptions } from '../../src/client/millrace-config.ts'
import type { MillraceOptions } from '../../src/client/millrace-config.ts'
import type { MillraceError } from '../../src/errors.ts'

function refusal(options: unknown): string {
  try {
    fillMillraceOptions(options as MillraceOptions)
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', retriable: false })
    return (error as MillraceError).message
  }
  throw new Error('nothing was refused')
}

test('the defaults', () => {
  expect(fillMillraceOptions()).toEqual({
    ...{ brokers: 1, logMemoryBytes: 268_435_456, partitionsMax: 32_768, idleStrategy: 'park' },
    ...{ config: undefined, workerUrl: undefined, logger: undefined, logLevel: 'warn' },
  })
})

test('what may be given', () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const given: MillraceOptions = {
    ...{ brokers: 64, logMemoryBytes: 16_777_216, partitionsMax: 1, idleStrategy: 'spin', logger, logLevel: 'silent' },
    workerUrl: new URL('file:///app/worker.js'),
    config: { 'num.partitions': 3 },
  }
  expect(fillMillraceOptions(given)).toEqual(given)
  expect(fillMillraceOptions({ workerUrl: 'file:///app/worker.js' }).workerUrl).toBe('file:///app/worker.js')
})

test.each<[Record<string, unknown>, string]>([
  [{ brokers: 0 }, 'openMillrace option brokers must be a whole number of brokers (int) from 1 to 64; 0 was given'],
  [{ brokers: ['localhost:9092'] }, 'from 1 to 64; ["localhost:9092"] was given'],
  [{ logMemoryBytes: 8_388_608 }, 'from 16777216 to 68719476736, a multiple of 8388608; 8388608 was given'],
  [{ logMemoryBytes: 16_777_217 }, 'a multiple of 8388608; 16777217 was given'],
  [{ idleStrategy: 'Park' }, 'did you mean "park"?'],
  [{ workerUrl: './worker.js' }, 'a URL of a file, as in new URL(\'./worker.js\', import.meta.url); "./worker.js" was given'],
  [{ logger: console.log }, 'a logger with the methods debug, info, warn and error; a function was given'],
  [{ logger: null }, 'null was given'],
  [{ logLevel: 'trace' }, 'did you mean "debug"?'],
  [{ dataDir: '' }, "the path of a directory, as in './data'"],
  [{ dataDir: 7 }, '7 was given'],
  [{ logDirs: './data' }, 'it is called dataDir here'],
  [{ listen: true }, 'Kafka clients cannot connect yet'],
  [{ clientId: 'app' }, 'clients of one process need no name'],
  [{ bootstrapServers: 'localhost:9092' }, 'the brokers are threads of this process'],
  [{ broker: 3 }, 'did you mean brokers'],
  [{ logMemory: 3 }, 'did you mean logMemoryBytes'],
])('%j is refused', (options, words) => {
  expect(refusal(options)).toContain(words)
})
