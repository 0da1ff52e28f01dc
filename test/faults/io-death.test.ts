// The I/O thread that ends under load, and brokers beside it: nothing that was acknowledged is
// lost, and the next I/O thread goes on.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 1_130)
let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-io-'))
})

afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

test('a millrace that is closed when its I/O thread has died leaves the directory to the next one', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1, dataDir, restarts: { maxRestarts: 0 } })
  const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 1 })
  const producer = faulty.millrace.producer()
  const ledger = new SentLedger()
  await ledger.send(producer, topic, 0)
  await producer.close()
  await faulty.cluster.terminateIo()
  await faulty.happened('ioGivenUp', 1)
  // It died with the lock in its hands.
  expect(existsSync(join(dataDir, '.lock'))).toBe(true)
  await faulty.close()
  expect(existsSync(join(dataDir, '.lock'))).toBe(false)
  const again = await FaultyMillrace.open({ brokers: 1, dataDir, restarts: UNLIMITED })
  await ledger.verify(again.millrace, await bytesTopic(again.millrace, 'load'))
  await again.close()
})

test('an I/O thread that died too often: who waits for files hears of it', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 1, dataDir, restarts: { maxRestarts: 0 } })
  const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 1 })
  const producer = faulty.millrace.producer({ retries: 0 })
  await producer.send(topic, { value: new Uint8Array(10) })
  await faulty.cluster.terminateIo()
  await faulty.happened('ioGivenUp', 1)
  await expect(producer.send(topic, { value: new Uint8Array(10) })).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
  await faulty.close()
  const again = await FaultyMillrace.open({ brokers: 1, dataDir, restarts: UNLIMITED })
  await bytesTopic(again.millrace, 'load')
  await again.close()
})

describe.each(['cache', 'disk'] as const)('durability %s', (durability) => {
  test(`the I/O thread is terminated at any instant, seed ${SEED}`, async () => {
    const random = seededRandom(SEED)
    const faulty = await FaultyMillrace.open({ brokers: 2, dataDir, restarts: UNLIMITED })
    const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 3, config: { 'millrace.durability': durability } })
    const producer = faulty.millrace.producer()
    const ledger = new SentLedger()
    for (let round = 1; round <= 8; round++) {
      const sends = Array.from({ length: 60 }, (_, i) => ledger.send(producer, topic, i % 3))
      // Somewhere in the midst of it.
      await sends[random.below(30)]
      await faulty.cluster.terminateIo()
      await Promise.all(sends)
      await faulty.happened('ioRestarted', round)
    }
    await ledger.verify(faulty.millrace, topic)
    expect(ledger.acked).toBe(480)
    await faulty.close()

    const again = await FaultyMillrace.open({ brokers: 2, dataDir, restarts: UNLIMITED })
    await ledger.verify(again.millrace, await bytesTopic(again.millrace, 'load'))
    await again.close()
  })

  test('the I/O thread and all brokers', async () => {
    const faulty = await FaultyMillrace.open({ brokers: 2, dataDir, restarts: UNLIMITED })
    const topic = await bytesTopic(faulty.millrace, 'load', { partitions: 3, config: { 'millrace.durability': durability } })
    const producer = faulty.millrace.producer()
    const ledger = new SentLedger()
    for (let round = 1; round <= 4; round++) {
      const sends = Array.from({ length: 60 }, (_, i) => ledger.send(producer, topic, i % 3))
      await sends[20]
      const before = faulty.count('brokerRestarted')
      await Promise.all([faulty.cluster.terminateBroker(0), faulty.cluster.terminateIo(), faulty.cluster.terminateBroker(1)])
      await Promise.all(sends)
      await faulty.happened('brokerRestarted', before + 2)
    }
    await ledger.verify(faulty.millrace, topic)
    await faulty.close()
  })
})
