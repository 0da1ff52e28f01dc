import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { againstKafka, kafkaPeers } from '../../benchmarks/cases/kafka-peers.ts'
import { runCase } from '../../benchmarks/harness/runner.ts'
import { viewOf } from '../../benchmarks/harness/report.ts'
import { S1 } from '../../benchmarks/cases/throughput-cases.ts'
import { checkAddress, kafkaTool, noKafka, noKafkaTools } from '../../benchmarks/peers/kafka-address.ts'
import { consumedBy, producedPerSecond } from '../../benchmarks/peers/kafka-java.ts'
import { contenderOf, contextOf } from './bench-reports.ts'

/** An address where nothing takes connections: a port that was free a moment ago. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `127.0.0.1:${port}`
}

function folderWithTool(name: string): string {
  const home = mkdtempSync(join(tmpdir(), 'kafka-home-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin', name), '#!/bin/sh\n')
  chmodSync(join(home, 'bin', name), 0o755)
  return home
}

describe('without a Kafka', () => {
  test('its contenders are skipped, and say how to name one', async () => {
    expect(noKafka({ kafka: undefined })).toContain('--kafka localhost:9092')
    const outcomes = await runCase(
      { ...S1, contenders: kafkaPeers(100, 1_000) },
      { context: contextOf(), repetitions: 1, progress: () => {} },
    )
    expect(outcomes.map(({ status, why }) => [status, why])).toEqual([
      ['skipped', noKafka({ kafka: undefined })],
      ['skipped', noKafka({ kafka: undefined })],
    ])
  })

  test('Java tools that are not there are said, those of KAFKA_HOME and the PATH found', () => {
    const kafka = 'localhost:9092'
    expect(noKafkaTools({ kafka }, { PATH: '/nowhere' })).toContain('KAFKA_HOME')
    const home = folderWithTool('kafka-producer-perf-test.sh')
    expect(noKafkaTools({ kafka }, { KAFKA_HOME: home })).toBeUndefined()
    expect(kafkaTool('kafka-producer-perf-test', { PATH: `/nowhere:${home}/bin` })).toBe(join(home, 'bin/kafka-producer-perf-test.sh'))
  })

  test('an address where nothing answers is refused in a sentence, by the command before it measures', async () => {
    const address = await deadAddress()
    await expect(checkAddress(address)).rejects.toThrow(new RegExp(`nothing takes connections at ${address} .*ECONNREFUSED`))
    const bench = fileURLToPath(new URL('../../benchmarks/bench.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [bench, '--small', '--only', 'S9', '--kafka', address], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([2, expect.stringContaining('start Kafka there, or leave --kafka out')])
  })

  test('a client whose Kafka has gone fails alone and says where it looked', async () => {
    const address = await deadAddress()
    const [, client] = kafkaPeers(100, 1_000)
    await expect(client!.open(contextOf({ kafka: address }))).rejects.toThrow(`no Kafka answers at ${address}: `)
  })
})

describe('what Kafka’s tools print', () => {
  test('the rate of the summary, not of a line before it', () => {
    const output =
      '123456 records sent, 24691.2 records/sec (2.35 MB/sec), 3.1 ms avg latency, 250.0 ms max latency.\n' +
      '500000 records sent, 512345.6 records/sec (48.86 MB/sec), 12.30 ms avg latency, 250.00 ms max latency, 9 ms 50th.\n'
    expect(producedPerSecond(output)).toBe(512_345.6)
    expect(() => producedPerSecond('nothing')).toThrow('said nothing of a rate: nothing')
  })

  test('what was consumed, by the headings above the row', () => {
    const output =
      'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n' +
      '2026-11-25 08:00:00:000, 2026-11-25 08:00:01:000, 47.6837, 47.68, 500000, 500000.0, 300, 700, 68.1, 714285.7\n'
    expect(consumedBy(output)).toEqual({ records: 500_000, perSecond: 714_285.7 })
    expect(() => consumedBy('WARNING: no records')).toThrow('gave no figures')
  })

  test('the target is taken against the faster of the two', () => {
    const { value } = againstKafka('', 'cursor', 25)
    const [ours, java, client] = [contenderOf('cursor', [100]), contenderOf('kafka-java', [5]), contenderOf('kafka-client', [4])]
    expect(value(viewOf([ours, java, client], 'recordsPerSecond'), undefined as never)).toBe(20)
    expect(value(viewOf([ours, client], 'recordsPerSecond'), undefined as never)).toBe(25)
    expect(value(viewOf([ours], 'recordsPerSecond'), undefined as never)).toBeUndefined()
  })
})
