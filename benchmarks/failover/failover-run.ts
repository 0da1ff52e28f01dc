// A process in which the threads of leaders are ended, one after the other, while a thread of the
// user sends to their partitions. Started by failover.ts; prints one line.
// The main thread ends them, and has nothing else to do than to start them again; or it stands
// still, from the moment in which it has ended one on.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { bytes, openMillrace } from '../../src/index.ts'
import type { Arrival } from '../harness/bench-case.ts'
import { BenchThread, readyThreads } from '../harness/bench-thread.ts'
import { expectedChecksum } from '../harness/record-pattern.ts'
import { gapsOf } from './acks.ts'
import type { FailoverProducerData, Sent } from './failover-producer.ts'

export interface FailoverOptions {
  readonly deaths: number
  readonly brokers: number
  readonly valueBytes: number
  /** Another thread offers to another topic of all brokers at full speed. */
  readonly underLoad: boolean
  /** How long the main thread stands still after each death. */
  readonly mainBlockedMs: number
}

export interface FailoverRun {
  readonly arrival: Arrival
  /** One a partition and death: from the dead leader's last ack to its successor's first. */
  readonly failoverMs: readonly number[]
  readonly usualMs: readonly number[]
  /** One a death: until the dead broker's thread ran again. */
  readonly restartMs: readonly number[]
  readonly loadRecords: number
}

const NAME = 'failover'
const LOAD_NAME = 'failover-load'
/** Between two deaths: those who took over lead as if nothing had been. */
const QUIET_MS = 350
/** Where a record batch has its leader epoch (Kafka: partitionLeaderEpoch). */
const LEADER_EPOCH_AT = 12

const { deaths, brokers, valueBytes, underLoad, mainBlockedMs } = JSON.parse(process.argv[2] ?? '') as FailoverOptions

/** By the name of its thread: the worker that a broker runs on now. */
const workers = new Map<string, Worker>()
process.on('worker', (worker) => {
  if (worker.threadName !== null) workers.set(worker.threadName, worker)
})
let restarts = 0
let onRestart = (): void => undefined
const logger = {
  debug: () => undefined,
  info: (_: object, message: string) => {
    if (!message.endsWith('was started again')) return
    restarts++
    onRestart()
  },
  warn: () => undefined,
  error: () => undefined,
}

const millrace = await openMillrace({ brokers, logger, logLevel: 'info' })
const topic = await millrace.topic(NAME, { partitions: brokers, value: bytes(), config: { 'retention.bytes': -1 } })
if (underLoad) await millrace.topic(LOAD_NAME, { partitions: brokers, value: bytes() })
const { handle } = millrace
const thread = (name: string, module: string): BenchThread =>
  new BenchThread(name, new URL(module, import.meta.url), {
    workerData: { handle, topic: name, valueBytes } satisfies FailoverProducerData,
  })
const producer = thread(NAME, './failover-producer.ts')
const load = underLoad ? thread(LOAD_NAME, './failover-load.ts') : undefined
const threads = load === undefined ? [producer] : [producer, load]
const close = await readyThreads(millrace, threads)

const deathsOf = new Map<string, number>()

/** Of the brokers that lead a partition, the one that has died least. */
async function nextVictim(): Promise<string> {
  const { partitions } = (await millrace.admin.describeTopic(NAME))!
  const leaders = partitions.map(({ leader }) => `millrace broker ${leader}`)
  return leaders.reduce((least, name) => ((deathsOf.get(name) ?? 0) < (deathsOf.get(least) ?? 0) ? name : least))
}

async function endLeader(): Promise<number> {
  const victim = await nextVictim()
  deathsOf.set(victim, (deathsOf.get(victim) ?? 0) + 1)
  const restarted = new Promise<void>((resolve) => (onRestart = resolve))
  const startMs = performance.now()
  void workers.get(victim)!.terminate()
  if (mainBlockedMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, mainBlockedMs)
  await restarted
  return performance.now() - startMs
}

/** Every record of the topic: each that was acknowledged once, at its offset, under the epoch of the leader that wrote it. */
async function readBack(): Promise<{ records: number; checksum: number; epochs: number[][] }> {
  const read = { records: 0, checksum: 0, epochs: Array.from({ length: topic.partitions }, (): number[] => []) }
  for await (const batch of millrace.consumer().batches(topic, { until: 'end' })) {
    const cursor = batch.cursor()
    while (cursor.next()) {
      const { buffer, byteOffset } = cursor.bytes
      read.records++
      read.checksum += cursor.bytes[cursor.valueStart]! + cursor.bytes[cursor.valueEnd - 1]!
      read.epochs[batch.partition]![cursor.offset] = new DataView(buffer, byteOffset).getInt32(cursor.batchStart + LEADER_EPOCH_AT)
    }
  }
  return read
}

await Promise.all(threads.map((one) => one.ask('start', null)))
await sleep(2 * QUIET_MS)
const restartMs: number[] = []
for (let i = 0; i < deaths; i++) {
  restartMs.push(await endLeader())
  await sleep(QUIET_MS)
}
const sent = await producer.ask<Sent>('stop', null)
const loadRecords = load === undefined ? 0 : await load.ask<number>('stop', null)
const { records, checksum, epochs } = await readBack()
await close()
if (restarts !== deaths) throw new Error(`${restarts} threads were started again, of ${deaths} that were ended`)
for (const [partition, { length }] of sent.ackedMs.entries()) {
  if (length !== epochs[partition]!.length)
    throw new Error(`partition ${partition} has ${epochs[partition]!.length} records, ${length} were acknowledged`)
}
const gaps = sent.ackedMs.map((ackedMs, partition) => gapsOf(ackedMs, epochs[partition]!))
const run: FailoverRun = {
  arrival: { records, checksum, expectedRecords: sent.records, expectedChecksum: expectedChecksum(sent.records) },
  failoverMs: gaps.flatMap(({ failoverMs }) => failoverMs),
  usualMs: gaps.flatMap(({ usualMs }) => usualMs),
  restartMs,
  loadRecords,
}
process.stdout.write(`${JSON.stringify(run)}\n`)
