// A data directory and the processes that were ended on it, one after the other: after each the
// files are held against all that was told.

import type { Random } from '../../../src/random.ts'
import { drawCall, drawEnd, runDoomed } from './doomed-child.ts'
import type { End, Ended } from './doomed-child.ts'
import { findLog } from './found-log.ts'
import { ToldHistory } from './told-history.ts'
import type { ToldTopic } from './told-lines.ts'

const PRODUCERS = 3

export interface RoundCounts {
  kills: number
  /** By what the process was doing. */
  readonly bites: Map<string, number>
  sent: number
  acked: number
  read: number
  records: number
  /** Batches that a kill had cut. */
  cut: number
  /** Acknowledged or read, and gone: by topic. */
  readonly lost: Map<string, number>
  readonly faults: string[]
}

/** What an Ext4Image has. */
export interface Power {
  /** A command that runs what stands behind it as of this boot of the machine. */
  readonly underItsBoot: readonly string[]
  cutPower(): void
  restore(): void
}

export interface DiskRoundOptions {
  readonly dataDir: string
  readonly random: Random
  /** How many processes in a row. */
  readonly generations: number
  /** Kills at system calls, instead of at times. */
  readonly atCalls?: boolean
  /** Instead of a kill: a power cut, after which the directory is there again. Topics of `cache` may lose what was acknowledged. */
  readonly power?: Power
}

export async function runDiskRound(options: DiskRoundOptions): Promise<RoundCounts> {
  const { dataDir, random, generations, atCalls = false, power } = options
  const brokers = 1 + random.below(3)
  const [cache, disk] = [1 + random.below(4), 1 + random.below(4)]
  const topics: ToldTopic[] = [
    { name: 'kept-in-cache', durability: 'cache', partitions: cache, firstLog: 0 },
    { name: 'kept-on-disk', durability: 'disk', partitions: disk, firstLog: cache },
  ]
  const history = new ToldHistory(cache + disk)
  const counts: RoundCounts = {
    kills: 0,
    bites: new Map(),
    sent: 0,
    acked: 0,
    read: 0,
    records: 0,
    cut: 0,
    lost: new Map(),
    faults: [],
  }
  // After the last cut another process opens the directory, and closes it.
  const isLast = (generation: number): boolean => generation === generations
  for (let generation = 0; generation < generations + (power === undefined ? 0 : 1) && counts.faults.length === 0; generation++) {
    const end: End = isLast(generation) ? { phase: 'asked' } : atCalls ? drawCall(random) : drawEnd(random)
    const inFlight = 1 + random.below(30)
    const task = { dataDir, brokers, topics, firstProducer: generation * PRODUCERS, producers: PRODUCERS, inFlight, seed: random.uint32() }
    const surroundings = power === undefined ? {} : { before: power.underItsBoot, strike: () => power.cutPower() }
    const ended: Ended = await runDoomed(task, end, (line) => history.hear(line), surroundings)
    const isCut = power !== undefined && !isLast(generation)
    if (isCut) {
      // It may have closed before.
      if (!ended.wasKilled) power.cutPower()
      power.restore()
    }
    if (ended.wasKilled || isCut) {
      counts.kills++
      counts.bites.set(ended.phase, (counts.bites.get(ended.phase) ?? 0) + 1)
    }
    counts.faults.push(...ended.problems, ...history.problems)
    counts.records = 0
    for (const { name, durability, partitions, firstLog } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const found = findLog(dataDir, name, partition, { isCut })
        const { faults, lost } = history.check(firstLog + partition, found, { mayShrink: isCut && durability === 'cache' })
        counts.faults.push(...faults.map((fault) => `generation ${generation}, ${JSON.stringify(end)}: ${fault}`))
        counts.lost.set(durability, (counts.lost.get(durability) ?? 0) + lost)
        counts.records += found.records.length
        if (found.cutBytes > 0) counts.cut++
      }
    }
  }
  Object.assign(counts, { sent: history.sent, acked: history.acked, read: history.read })
  return counts
}

export function bitesInWords(bites: ReadonlyMap<string, number>): string {
  return [...bites].map(([phase, count]) => `${phase} ${count}`).join(' · ')
}
