import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { attachMillrace, bytes, openMillrace } from '../../../src/index.ts'

const MIB = 1024 * 1024

test('describeCluster: who there is, who is the controller, who leads what', async () => {
  const workers: Worker[] = []
  const onWorker = (worker: Worker): void => void workers.push(worker)
  process.on('worker', onWorker)
  const millrace = await openMillrace({ brokers: 3, logMemoryBytes: 32 * MIB, logLevel: 'silent' })
  process.off('worker', onWorker)
  const { admin } = millrace
  await admin.createTopics([
    { name: 'a', partitions: 4 },
    { name: 'b', partitions: 2 },
  ])
  const cluster = await admin.describeCluster()
  expect(cluster).toMatchObject({ clusterId: expect.stringMatching(/^[\w-]{22}$/) as string, controllerId: 0, controllerEpoch: 0 })
  expect(cluster.brokers.map(({ brokerId }) => brokerId)).toEqual([0, 1, 2])
  expect(cluster.brokers.map(({ partitionsLed }) => partitionsLed)).toEqual([2, 2, 2])
  expect(cluster.brokers.map(({ threadId }) => threadId)).toEqual(workers.map(({ threadId }) => threadId))
  expect(cluster.brokers.map(({ isController }) => isController)).toEqual([true, false, false])
  for (const broker of cluster.brokers) {
    expect(broker).toMatchObject({ brokerEpoch: 1, isFenced: false, isGivenUp: false, heldBytes: 0 })
    expect(broker.turns).toBeGreaterThan(0)
  }
  expect(Object.isFrozen(cluster.brokers[0])).toBe(true)

  // Another thread's view is the same.
  const attached = await attachMillrace(millrace.handle)
  expect((await attached.admin.describeCluster()).clusterId).toBe(cluster.clusterId)
  await attached.close()

  await expect(admin.describeBroker(3)).rejects.toMatchObject({
    code: 'BROKER_ID_NOT_REGISTERED',
    message: 'there is no broker 3: this millrace has 0, 1, 2',
  })

  // The controller dies: another one takes its place, and leads what it led.
  const exited = once(workers[0]!, 'exit')
  await workers[0]!.terminate()
  await exited
  await admin.createTopic('c')
  const after = await admin.describeCluster()
  expect(after.clusterId).toBe(cluster.clusterId)
  expect(after.controllerEpoch).toBeGreaterThan(0)
  expect(after.brokers.reduce((sum, { partitionsLed }) => sum + partitionsLed, 0)).toBe(7)
  expect((await admin.describeBroker(0)).brokerEpoch).toBeGreaterThanOrEqual(1)
  await millrace.close()
})

test('describeLogMemory: who holds how much', async () => {
  const millrace = await openMillrace({ brokers: 2, logMemoryBytes: 32 * MIB })
  const { admin } = millrace
  const before = await admin.describeLogMemory()
  expect(before).toMatchObject({ totalBytes: 32 * MIB, pinnedBytes: 0, partitions: [] })
  const large = await millrace.topic('large', { value: bytes(), config: { 'retention.bytes': -1 } })
  const small = await millrace.topic('small', { partitions: 2, value: bytes() })
  const producer = millrace.producer()
  for (let i = 0; i < 30; i++) await producer.send(large, { value: new Uint8Array(100_000) })
  await producer.send(small, { value: new Uint8Array(100), partition: 1 })
  const memory = await admin.describeLogMemory()
  expect(memory.partitions.map(({ topic, partition, retention }) => [topic, partition, retention])).toEqual([
    ['large', 0, 'pinned'],
    ['small', 1, 'default'],
  ])
  const [first, second] = memory.partitions
  expect(first!.heldBytes).toBeGreaterThanOrEqual(3_000_000)
  expect(second!.heldBytes).toBe(16 * 1024)
  expect(memory.pinnedBytes).toBe(first!.heldBytes)
  expect(memory.freeBytes + memory.heldBytes).toBe(memory.totalBytes)
  // What is not of topics is the metadata log's.
  expect(memory.heldBytes).toBeGreaterThan(first!.heldBytes + second!.heldBytes)
  expect(memory.residentBytes).toBeGreaterThanOrEqual(memory.heldBytes)
  const sum = (of: (broker: (typeof memory.brokers)[number]) => number): number =>
    memory.brokers.reduce((all, broker) => all + of(broker), 0)
  expect(sum(({ heldBytes }) => heldBytes)).toBe(first!.heldBytes + second!.heldBytes)
  expect(sum(({ claimedBytes }) => claimedBytes)).toBeGreaterThanOrEqual(memory.heldBytes)
  expect((await admin.describeBroker(first!.leader)).heldBytes).toBe(memory.brokers[first!.leader]!.heldBytes)
  await millrace.close()
})
