// Power cuts, kills and failing calls at any instant of the I/O thread's work, on a simulated disk. What the
// test acknowledges is what watermarks say; what it finds afterwards it reads with a reader of its own.

import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import type { CallName, FaultKind } from '../disk/disk-faults.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { ReusedLogMemory } from '../log/reused-log-memory.ts'
import { readPartition } from './directory-reader.ts'
import { DATA_DIR, IoWorld } from './io-world.ts'
import type { IoWorldOptions } from './io-world.ts'

const TOPICS = ['cache', 'disk'] as const
type Topic = (typeof TOPICS)[number]
const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261_130)

/** Each of the first so many calls fails, in a history of its own. */
const FAILING_CALLS = 300
/** More than any of them needs to come that far. */
const ROUNDS_MAX = 600
/** No two worlds here live at the same time. */
const logMemory = new ReusedLogMemory()

/** What was sent to a partition, in the order of its offsets, and how much of it was acknowledged. */
interface Told {
  sent: number[]
  acknowledged: number
}

interface WorkOptions extends IoWorldOptions {
  readonly isOver?: () => boolean
  readonly batchBytesMax?: number
}

/** One process: what it did before it ended. */
class History {
  readonly told: Record<Topic, Told> = { cache: { sent: [], acknowledged: 0 }, disk: { sent: [], acknowledged: 0 } }
  readonly topics = new Set<Topic>()

  /** `isOver`: asked before each of at most `rounds`. */
  work(
    disk: SimulatedDisk,
    random: Random,
    rounds: number,
    { isOver = () => false, batchBytesMax = 3_100, ...options }: WorkOptions = {},
  ): void {
    const world = new IoWorld(disk, { ...options, buffers: logMemory.empty() })
    for (const topic of TOPICS) {
      if (world.image.topic(topic) !== undefined) continue
      const config = { 'millrace.durability': topic, 'segment.bytes': '1048576', 'index.interval.bytes': '500' }
      if (world.createTopic(topic, config)) this.topics.add(topic)
    }
    for (let round = 0; round < rounds && !isOver(); round++) {
      for (const topic of this.topics) {
        const numbers = world.append(world.slot(topic), random.below(6), 100 + random.below(batchBytesMax - 100), 1)
        this.told[topic].sent.push(...numbers)
      }
      // Not all of it is always done.
      for (let turns = random.below(3); turns > 0; turns--) {
        world.io.turn()
        if (random.below(2) === 0) disk.endSyncs()
      }
      world.advance()
      this.#hear(world)
    }
    world.run()
    this.#hear(world)
    if (random.below(2) === 0) world.io.close()
  }

  #hear(world: IoWorld): void {
    for (const topic of this.topics) {
      const told = this.told[topic]
      told.acknowledged = Math.max(told.acknowledged, world.log(world.slot(topic)).highWatermark)
    }
  }

  /** What is wrong with what the next process finds; `lost`: acknowledged batches that are not there. */
  check(disk: SimulatedDisk, bootId: string): { faults: string[]; lost: Record<Topic, number> } {
    const faults: string[] = []
    const lost = { cache: 0, disk: 0 }
    const world = new IoWorld(disk, { bootId, buffers: logMemory.empty() })
    for (const topic of this.topics) {
      if (world.image.topic(topic) === undefined) {
        faults.push(`topic ${topic}, which was made, is not there`)
        continue
      }
      const { sent, acknowledged } = this.told[topic]
      const slot = world.slot(topic)
      const found = readPartition(disk, `${DATA_DIR}/broker-0/${topic}-0`).map(({ number }) => number)
      const { endOffset } = world.log(slot)
      if (world.control(slot).haveFilesFailed) faults.push(`${topic} is fenced: ${world.messages.join('; ')}`)
      if (found.length !== endOffset) faults.push(`${topic}: ${found.length} batches are in the files, its log ends at ${endOffset}`)
      if (found.some((number, at) => number !== sent[at])) faults.push(`${topic}: what is found is not what was sent, in its order`)
      if (endOffset > sent.length) faults.push(`${topic}: more is found than was sent`)
      lost[topic] = Math.max(0, acknowledged - endOffset)
    }
    return { faults, lost }
  }
}

describe('power cuts', () => {
  test(`disk loses nothing, cache is the control that must, seed ${SEED}`, () => {
    const random = seededRandom(SEED)
    let states = 0
    let lostOfCache = 0
    while (states < 2_000) {
      const disk = new SimulatedDisk()
      const history = new History()
      const stopAt = 1 + random.below(120)
      disk.plan([{ kind: 'stop', at: stopAt }])
      try {
        history.work(disk, random, 12)
      } catch (error) {
        if (!(error instanceof SimulatedStop)) throw error
      }
      for (const { disk: state, description } of disk.crashStates(random.uint32(), { drawn: 6, max: 12 })) {
        const { faults, lost } = history.check(state, 'boot 2')
        expect(faults, `stop at ${stopAt}: ${description}`).toEqual([])
        expect(lost.disk, `stop at ${stopAt}: ${description}`).toBe(0)
        lostOfCache += lost.cache > 0 ? 1 : 0
        states++
      }
    }
    expect(lostOfCache).toBeGreaterThan(50)
  })
})

describe('kills', () => {
  test(`nothing that was acknowledged is lost, seed ${SEED}`, () => {
    const random = seededRandom(SEED + 1)
    let cut = 0
    let withPoints = 0
    for (let i = 0; i < 200; i++) {
      const disk = new SimulatedDisk()
      const history = new History()
      disk.plan([{ kind: 'stop', at: 1 + i }])
      try {
        // So that it often syncs ahead, and notes where a recovery may go on.
        history.work(disk, random, 12, { syncAheadBytes: 20_000 })
      } catch (error) {
        if (!(error instanceof SimulatedStop)) throw error
      }
      const { cutWriteBytes } = disk
      if (cutWriteBytes > 0) cut++
      if (disk.killState().exists(`${DATA_DIR}/broker-0/resume-points`)) withPoints++
      const kept = cutWriteBytes > 0 ? random.below(cutWriteBytes) : undefined
      const { faults, lost } = history.check(disk.killState(kept), 'boot 1')
      expect(faults, `stop at ${i + 1}`).toEqual([])
      expect(lost, `stop at ${i + 1}`).toEqual({ cache: 0, disk: 0 })
    }
    expect(cut).toBeGreaterThan(20)
    expect(withPoints).toBeGreaterThan(20)
  })
})

interface Failure {
  readonly name: string
  readonly kind: FaultKind
  readonly syncsAlone?: boolean
}

const FAILURES: readonly Failure[] = [
  { name: 'EIO', kind: 'EIO' },
  { name: 'ENOSPC', kind: 'ENOSPC' },
  { name: 'a short write or read', kind: 'short' },
  { name: 'a sync that fails', kind: 'EIO', syncsAlone: true },
]
const SYNCS: readonly CallName[] = ['sync', 'syncDirectory']

describe('calls that fail', () => {
  test.each(FAILURES)(`$name at each of the first ${FAILING_CALLS} calls, seed ${SEED}`, ({ name, kind, syncsAlone = false }) => {
    const random = seededRandom(SEED + 2)
    let bitten = 0
    let wentOn = 0
    for (let at = 1; at <= FAILING_CALLS; at++) {
      const disk = new SimulatedDisk()
      const history = new History()
      disk.plan([{ kind, at, ...(syncsAlone ? { calls: SYNCS } : {}) }])
      let roundsAfter = 0
      // It works until the call has failed, and a little more.
      const isOver = (): boolean => disk.faultsBitten > 0 && roundsAfter++ === 3
      try {
        history.work(disk, random, ROUNDS_MAX, { isOver, ...(syncsAlone ? { syncAheadBytes: 1_000, batchBytesMax: 300 } : {}) })
        wentOn++
      } catch (error) {
        // The directory could not be opened at all, saying why.
        expect((error as { code?: string }).code, String((error as Error).stack)).toBe('KAFKA_STORAGE_ERROR')
      }
      bitten += disk.faultsBitten
      const { faults, lost } = history.check(disk.killState(), 'boot 1')
      expect(faults, `${name} at ${at}`).toEqual([])
      expect(lost, `${name} at ${at}`).toEqual({ cache: 0, disk: 0 })
      if (!syncsAlone) continue
      // What a failed sync should have written is never on the disk, whoever syncs again.
      for (const { disk: state, description } of disk.crashStates(random.uint32(), { drawn: 1, max: 2 })) {
        const cut = history.check(state, 'boot 2')
        expect(cut.faults, `${name} at ${at}: ${description}`).toEqual([])
        expect(cut.lost.disk, `${name} at ${at}: ${description}`).toBe(0)
      }
    }
    expect(bitten).toBe(FAILING_CALLS)
    expect(wentOn).toBeGreaterThan(FAILING_CALLS / 2)
  })
})
