import { describe, expect, test } from 'vitest'
import { PRODUCER_CONFIG, fillProducerOptions } from '../../../src/client/producer/producer-config.ts'
import type { ProducerOptions } from '../../../src/client/producer/producer-config.ts'
import { settingsOf } from '../../../src/config-def.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { kafkaDefaults } from '../../config/kafka-configs.ts'

function refusal(options: unknown): MillraceError {
  try {
    fillProducerOptions(options as ProducerOptions)
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', retriable: false })
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

test('the defaults', () => {
  const defaults = {
    ...{ acks: 'all', lingerMs: 0, batchSize: 65_536, bufferMemory: 33_554_432, maxBlockMs: 60_000 },
    ...{ maxRequestSize: 1_048_576, deliveryTimeoutMs: 120_000, partitioner: 'default', partitionerIgnoreKeys: false },
    ...{ partitionerAdaptivePartitioningEnable: true, partitionerAvailabilityTimeoutMs: 0 },
    ...{ compressionType: 'none', compressionGzipLevel: -1, compressionLz4Level: 9, compressionZstdLevel: 3 },
    ...{ enableIdempotence: true, retries: 2_147_483_647, retryBackoffMs: 100, retryBackoffMaxMs: 1_000 },
  }
  expect(fillProducerOptions()).toEqual(defaults)
  expect(fillProducerOptions({})).toEqual(defaults)
})

test("are Kafka's, but for the two that the file explains", () => {
  const kafka = kafkaDefaults('ProducerConfig')
  const differ: string[] = []
  for (const [name, { kafkaName, default: value }] of settingsOf(PRODUCER_CONFIG)) {
    expect(kafka.has(kafkaName!), name).toBe(true)
    if (name !== 'partitioner' && kafka.get(kafkaName!)!.default !== value) differ.push(name)
  }
  expect(differ).toEqual(['lingerMs', 'batchSize'])
})

test('what may be given', () => {
  const partitioner = (): number => 0
  const given: ProducerOptions = { acks: 1, lingerMs: 5, batchSize: 0, bufferMemory: 100_000, maxBlockMs: 0, partitioner }
  expect(fillProducerOptions(given)).toMatchObject(given)
  expect(fillProducerOptions({ acks: 0 }).acks).toBe(0)
})

test.each<[Record<string, unknown>, string]>([
  [{ acks: -1 }, 'producer option acks must be one of 0, 1, "all"; -1 was given: did you mean "all"?'],
  [{ acks: '1' }, '"1" was given: did you mean 1?'],
  [{ acks: 'quorum' }, 'one of 0, 1, "all"; "quorum" was given'],
  [{ lingerMs: -1 }, 'a whole number of ms (long) from 0 to 2147483647; -1 was given'],
  [{ batchSize: 8_388_545 }, 'a whole number of bytes (int) from 0 to 8388544; 8388545 was given'],
  [{ batchSize: 16_384.5 }, '16384.5 was given'],
  [
    { partitioner: 'random' },
    "'default', 'roundRobin' or a function (keyBytes, partitionCount, topicName) => partition; \"random\" was given",
  ],
  [{ bufferMemory: 65_535 }, 'bufferMemory (65535) must hold at least one batch of batchSize (65536)'],
  [{ lingerMs: 200_000 }, 'deliveryTimeoutMs (120000) must be at least lingerMs (200000)'],
  [{ compressionType: 'brotli' }, 'one of "none", "gzip", "snappy", "lz4", "zstd"'],
  [{ compressionGzipLevel: 0 }, 'compressionGzipLevel is 1 to 9, or -1'],
  [{ compressionZstdLevel: 23 }, 'from -131072 to 22'],
  [{ partitionerIgnoreKeys: true, partitioner: () => 0 }, 'partitionerIgnoreKeys is of the default partitioner'],
])('%j is refused', (options, words) => {
  expect(refusal(options).message).toContain(words)
})

test.each<[string, string]>([
  ['linger', 'it is called lingerMs here'],
  ['linger.ms', 'it is written lingerMs here'],
  ['lingerms', 'it is written lingerMs here'],
  ['batchsizes', 'did you mean batchSize'],
  ['createPartitioner', 'it is called partitioner here'],
  ['partitionerClass', 'it is called partitioner here'],
  ['compression', 'it is called compressionType here'],
  ['compression.type', 'it is written compressionType here'],
  ['transactionalId', 'transactional producers are not there yet'],
  ['idempotent', 'it is called enableIdempotence here'],
  ['maxInFlightRequestsPerConnection', 'a lane keeps the order of its batches'],
  ['maxInFlightRequests', 'a lane keeps the order of its batches'],
  ['keySerializer', 'serdes belong to the topic'],
  ['maxRetries', 'it is called retries here'],
  ['clientId', 'clients of one process need no name'],
])('the name %s is answered', (name, words) => {
  expect(refusal({ [name]: 1 }).message).toContain(words)
})

describe('idempotence', () => {
  test.each<ProducerOptions>([{ acks: 1 }, { acks: 0 }, { retries: 0 }])('is off with %j, unless it was asked for', (options) => {
    expect(fillProducerOptions(options).enableIdempotence).toBe(false)
    expect(fillProducerOptions({ ...options, enableIdempotence: false }).enableIdempotence).toBe(false)
    expect(refusal({ ...options, enableIdempotence: true }).message).toMatch(
      /^producer option enableIdempotence needs (acks 'all', not [01]|retries above 0): give that, or leave enableIdempotence out$/,
    )
  })

  test('may be asked for, and left out', () => {
    expect(fillProducerOptions({ acks: 'all', enableIdempotence: true }).enableIdempotence).toBe(true)
    expect(fillProducerOptions({ enableIdempotence: false }).enableIdempotence).toBe(false)
  })
})

describe('every name that Kafka has for a producer', () => {
  const settings = new Set(settingsOf(PRODUCER_CONFIG).map(([name]) => name))
  const groups = ['ProducerConfig', 'SaslConfigs', 'SslConfigs']
  const names = groups.flatMap((group) => [...kafkaDefaults(group)].filter(([, { internal }]) => !internal).map(([name]) => name))

  test.each(names)('%s is a setting, or is told why not', (dotted) => {
    const name = dotted.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
    if (settings.has(name)) return
    for (const spelling of [name, dotted]) {
      const { message } = refusal({ [spelling]: 1 })
      expect(message).toContain(`there is no producer option "${spelling}": `)
      expect(message).not.toMatch(/did you mean|: the names are /)
    }
  })
})
