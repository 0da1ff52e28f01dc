// The opening of a round's millrace, the end of one with files, and what must be there when they are opened again.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Millrace } from '../../src/index.ts'
import type { ControlBlock } from '../../src/log/control-block.ts'
import { CLEAN_SHUTDOWN_FILE } from '../../src/storage/clean-shutdown-file.ts'
import { FaultyMillrace } from '../faults/faulty-millrace.ts'
import { bytesTopic } from '../faults/sent-ledger.ts'
import { FILE_BROKER_CONFIG } from './file-plan.ts'
import { MARK_END, MARK_FIRST_SEEN } from './history.ts'
import type { ReadTape } from './history.ts'
import type { BoundTopic } from './producer-work.ts'
import type { RoundPlan, TopicPlan } from './round-plan.ts'

/** The millrace of a round, on its data directory if it has one. */
export function openFaulty(plan: RoundPlan, dataDir: string | undefined): Promise<FaultyMillrace> {
  const needsLimits = plan.faults.some(({ kind }) => kind === 'outOfMemory')
  return FaultyMillrace.open({
    brokers: plan.brokers,
    logMemoryBytes: plan.logMemoryBytes,
    restarts: { maxRestarts: 1_000_000 },
    ...(dataDir === undefined ? {} : { dataDir, config: FILE_BROKER_CONFIG }),
    ...(needsLimits ? { resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 } } : {}),
  })
}

/** Makes the topics of a round, or binds them; their control blocks by log. */
export async function bindTopics(
  faulty: FaultyMillrace,
  topics: readonly TopicPlan[],
  areNew: boolean,
): Promise<{ topics: BoundTopic[]; controls: ControlBlock[] }> {
  const bound: BoundTopic[] = []
  const controls: ControlBlock[] = []
  for (const { name, firstLog, partitions, config } of topics) {
    const topic = await bytesTopic(faulty.millrace, name, areNew ? { partitions, config } : {})
    bound.push({ name, firstLog, partitions, bound: topic })
    for (const { slot } of (await faulty.engine.describeTopic(name))!.partitions) controls.push(faulty.engine.controlBlock(slot))
  }
  return { topics: bound, controls }
}

/** Every thread of the millrace and of those who use it dies at once, the I/O thread perhaps a little before, and none is started again. */
export async function killEverything(
  { cluster, millrace }: FaultyMillrace,
  workers: readonly { terminate(): Promise<void> }[],
  ioAheadMs: number,
): Promise<void> {
  if (ioAheadMs > 0) {
    await cluster.terminateIo()
    await sleep(ioAheadMs)
  }
  const deaths = [
    ...workers.map((worker) => worker.terminate()),
    ...cluster.brokers.map(({ brokerId }) => cluster.terminateBroker(brokerId)),
    cluster.terminateIo(),
  ]
  const closed = cluster.close({ timeoutMs: 0 })
  await Promise.all(deaths)
  await closed
  await millrace.close({ timeoutMs: 0 })
}

/** Whether all brokers' directories were left as after a clean stop. */
export function wasClosedClean(dataDir: string): boolean {
  return brokersIn(dataDir).every((directory) => existsSync(join(directory, CLEAN_SHUTDOWN_FILE)))
}

/** The process of those who died lives on, and so their lock would too. */
export function breakLock(dataDir: string): void {
  for (const name of readdirSync(dataDir)) if (name.startsWith('.lock')) rmSync(join(dataDir, name), { recursive: true })
}

/** Of a millrace that was just opened: topics that are missing, and those of memory alone that are not new. */
export async function whatWasNotKept({ admin }: Millrace, topics: readonly TopicPlan[], names: readonly string[]): Promise<string[]> {
  const problems: string[] = []
  const found = await admin.listTopics()
  for (const name of names) if (!found.includes(name)) problems.push(`topic ${name} was there, and is gone after the reopening`)
  for (const { name, partitions, durability } of topics) {
    const described = await admin.describeTopic(name)
    if (described.partitions.length !== partitions)
      problems.push(`${name} had ${partitions} partitions, and has ${described.partitions.length}`)
    if (durability !== 'memory') continue
    for (const { partition, startOffset, endOffset } of described.partitions) {
      if (startOffset === 0 && endOffset === 0) continue
      problems.push(`${name}-${partition} was in memory alone, and is at ${startOffset} to ${endOffset} after the reopening`)
    }
  }
  return problems
}

/** Beyond whatever a log comes to. */
const GONE = 2 ** 52

/** A topic that was in memory alone is gone with it, as by retention. */
export function markGone(drain: ReadTape, { firstLog, partitions }: TopicPlan): void {
  for (let log = firstLog; log < firstLog + partitions; log++) {
    drain.mark(MARK_FIRST_SEEN, log, GONE)
    drain.mark(MARK_END, log, GONE)
  }
}

/** Segment files of all topics. */
export function countSegments(dataDir: string): number {
  const topics = brokersIn(dataDir).flatMap((broker) => directoriesIn(broker))
  return topics.reduce((sum, topic) => sum + readdirSync(topic).filter((name) => name.endsWith('.log')).length, 0)
}

function brokersIn(dataDir: string): string[] {
  return directoriesIn(dataDir).filter((path) => /broker-\d+$/.test(path))
}

function directoriesIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []))
}
