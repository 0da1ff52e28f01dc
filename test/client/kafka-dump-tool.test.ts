// What millrace writes, read by Kafka's own dump tool: batches with their CRCs, indexes, producers, metadata.
// Needs Kafka's tools and a JVM.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { kafkaTool } from '../../benchmarks/peers/kafka-address.ts'
import { openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'

const tool = kafkaTool('kafka-dump-log')
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const RECORDS = 12_000
const TIMEOUT_MS = 120_000

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-dump-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function write(millrace: EmbeddedMillrace, codec: (typeof CODECS)[number]): Promise<void> {
  const topic = await millrace.topic(`t-${codec}`, {
    key: string(),
    value: string(),
    partitions: 1,
    config: { 'segment.bytes': 1_048_576 },
  })
  const producer = millrace.producer({ compressionType: codec })
  for (let i = 0; i < RECORDS; i++) {
    while (!producer.offer(topic, `key ${i % 100}`, `value number ${i} ${'.'.repeat(100)}`)) await producer.drained()
  }
  await producer.close()
}

function dump(...args: string[]): string {
  return execFileSync(tool!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
}

function filesIn(directory: string, ...extensions: string[]): string {
  const names = readdirSync(directory).filter((name) => extensions.some((extension) => name.endsWith(extension)))
  expect(names.length).toBeGreaterThan(0)
  return names.map((name) => join(directory, name)).join(',')
}

const why = tool === undefined ? ' (skipped: kafka-dump-log is not installed here; set KAFKA_HOME)' : ''

describe.skipIf(tool === undefined)(`Kafka’s dump tool${why}`, () => {
  test(
    'takes every batch, index, snapshot and metadata record',
    async () => {
      const millrace = await openMillrace({ dataDir })
      for (const codec of CODECS) await write(millrace, codec)
      await millrace.close()
      const home = join(dataDir, 'broker-0')

      for (const codec of CODECS) {
        const directory = join(home, `t-${codec}-0`)
        const logs = dump('--deep-iteration', '--files', filesIn(directory, '.log', '.index', '.timeindex'))
        expect(logs.match(/^\| offset: /gm), codec).toHaveLength(RECORDS)
        expect(logs).toContain(`compresscodec: ${codec}`)
        expect(logs.match(/isvalid: true/g)!.length).toBeGreaterThan(5)
        expect(logs).not.toMatch(/isvalid: false|Mismatches|Found timestamp mismatch|Found out of order|Non-consecutive/i)
        const sane = dump('--index-sanity-check', '--files', filesIn(directory, '.index', '.timeindex'))
        expect(sane.match(/passed sanity check/g)!.length).toBeGreaterThan(1)
        expect(dump('--files', filesIn(directory, `${RECORDS}.snapshot`))).toContain(`lastOffset: ${RECORDS - 1}`)
      }
      const metadata = dump('--cluster-metadata-decoder', '--files', filesIn(join(home, '__cluster_metadata-0'), '.log'))
      for (const codec of CODECS) expect(metadata).toContain(`"name":"t-${codec}"`)
      expect(metadata).not.toMatch(/isvalid: false|Exception/)
    },
    TIMEOUT_MS,
  )
})
