// The thread that opened millrace does nothing for a second, and in that second a broker
// dies: the others notice it by themselves, and attached producers and consumers go on.

import { afterAll, expect, test } from 'vitest'
import type { KillPoint } from '../../src/kill-points.ts'
import { FIRST_TOPIC_SLOT } from '../../src/metadata/metadata-records.ts'
import { AttachedWorker } from './attached-worker.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { bytesTopic, readAll } from './sent-ledger.ts'

const BLOCKED_MS = 1_000
const gapsMs: number[] = []

afterAll(() =>
  console.log(`failover while the main thread was blocked: last ack to next ack ${gapsMs.map((ms) => ms.toFixed(1)).join(', ')} ms`),
)

test.each<{ what: string; partition: number; point: KillPoint; action: FaultAction }>([
  { what: 'a leader', partition: 1, point: 'log.append.copied', action: 'exit' },
  { what: 'a leader', partition: 2, point: 'log.append.published', action: 'throw' },
  { what: "the controller's broker, which leads too", partition: 0, point: 'log.append.ended', action: 'exit' },
])('$what dies by: $action', async ({ partition, point, action }) => {
  const faulty = await FaultyMillrace.open({ brokers: 3 })
  const { millrace, faults } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 3 })
  const data = { handle: millrace.handle, topic: 't', partition } as const
  const producer = new AttachedWorker({ ...data, role: 'producer', producerNumber: 7 })
  const consumer = new AttachedWorker({ ...data, role: 'consumer', producerNumber: 0 })
  await Promise.all([producer.doneAtLeast(50), consumer.doneAtLeast(20)])
  // The first rows of the partition table are the metadata log's and its snapshots'.
  const control = faulty.engine.controlBlock(FIRST_TOPIC_SLOT + partition)
  expect([control.partition, control.leaderBroker]).toEqual([partition, partition])
  faults.arm(partition, point, action, 5)

  // Nothing of this thread's event loop runs from here …
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS)
  const seen = {
    bites: faults.bites(partition),
    leader: control.leaderBroker,
    epoch: control.leaderEpoch,
    failed: producer.failed,
    acked: producer.done,
    read: consumer.done,
    deathsHeardOf: faulty.events.length,
  }
  // … to here.
  expect(seen).toMatchObject({ bites: 1, epoch: 1, deathsHeardOf: 0 })
  expect(seen.leader).not.toBe(partition)
  // What was in flight is sent again by the producer itself.
  expect(seen.failed).toBe(0)
  gapsMs.push(producer.gapMsMax)

  await faulty.happened('brokerRestarted', 1)
  await producer.doneAtLeast(producer.done + 50)
  await producer.finish()
  await consumer.doneAtLeast(producer.done)
  // One more record lets the consumer see that it is to finish.
  const finished = consumer.finish()
  await millrace.producer().send(topic, { value: new Uint8Array(12), partition })
  await finished
  const [read] = [(await readAll(millrace.consumer(), topic))[partition]!]
  const own = read.sequences.filter(({ producer: number }) => number === 7)
  expect(own.length).toBeGreaterThanOrEqual(producer.done)
  for (let i = 1; i < own.length; i++) expect(own[i]!.sequence).toBeGreaterThan(own[i - 1]!.sequence)
  expect(new Set(read.leaderEpochs)).toEqual(new Set([0, 1]))
  // More was acknowledged, and read, than the dead leader had: the next one led while this thread was blocked.
  const underDeadLeader = read.leaderEpochs.indexOf(1)
  expect(seen.acked).toBeGreaterThan(underDeadLeader)
  expect(seen.read).toBeGreaterThan(underDeadLeader)
  await faulty.close()
})

test("a broker that was started again takes over: a producer that had nothing to do with it needs nobody's help to reach it", async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3 })
  const { millrace, faults } = faulty
  const topic = await bytesTopic(millrace, 't', { partitions: 3 })
  const producer = new AttachedWorker({ handle: millrace.handle, topic: 't', partition: 0, role: 'producer', producerNumber: 7 })
  await producer.doneAtLeast(50)
  await faulty.kill(1)
  await faulty.happened('brokerRestarted', 1)
  await producer.doneAtLeast(producer.done + 200)
  const control = faulty.engine.controlBlock(FIRST_TOPIC_SLOT)
  expect([control.partition, control.leaderBroker]).toEqual([0, 0])
  faults.arm(0, 'log.append.published', 'exit', 5)

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS)
  const seen = { leader: control.leaderBroker, acked: producer.done, failed: producer.failed, deathsHeardOf: faulty.count('brokerDied') }
  // It led nothing, so it leads first.
  expect(seen).toMatchObject({ leader: 1, failed: 0, deathsHeardOf: 1 })

  await producer.doneAtLeast(seen.acked + 50)
  gapsMs.push(producer.gapMsMax)
  await producer.finish()
  const { leaderEpochs } = (await readAll(millrace.consumer(), topic))[0]!
  expect(new Set(leaderEpochs)).toEqual(new Set([0, 1]))
  // It was written to while this thread was blocked.
  expect(seen.acked).toBeGreaterThan(leaderEpochs.indexOf(1))
  await faulty.close()
})
