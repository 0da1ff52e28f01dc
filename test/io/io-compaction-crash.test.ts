// Power cuts, kills and failing calls while the I/O thread writes compacted topics and compacts them. Whatever is
// found afterwards is a compaction of what was sent, up to where it ends: nothing that was last of its key is missing.

import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import type { FaultKind } from '../disk/disk-faults.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import type { KeyedRecord } from '../log/keyed-batches.ts'
import { readKeyedRecords } from './directory-reader.ts'
import { DATA_DIR, IoWorld } from './io-world.ts'

const TOPICS = ['cache', 'disk'] as const
type Topic = (typeof TOPICS)[number]
const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261_130)
const BACKOFF_MS = 50
const config = { 'log.cleaner.backoff.ms': BACKOFF_MS }

/** What was sent to a partition, by its offsets, and how much of it was acknowledged. */
interface Told {
  readonly sent: KeyedRecord[]
  acknowledged: number
}

/** One process: what it did before it ended. */
class History {
  readonly told: Record<Topic, Told> = { cache: { sent: [], acknowledged: 0 }, disk: { sent: [], acknowledged: 0 } }
  readonly topics = new Set<Topic>()
  readonly #random: Random
  cleanedJobs = 0

  constructor(random: Random) {
    this.#random = random
  }

  async work(disk: SimulatedDisk, rounds: number): Promise<void> {
    const world = new IoWorld(disk, { config })
    for (const topic of TOPICS) {
      const policy = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '200' }
      const sizes = { 'segment.bytes': '900', 'index.interval.bytes': '200', 'file.delete.delay.ms': '100' }
      if (world.createTopic(topic, { 'millrace.durability': topic, ...policy, ...sizes })) this.topics.add(topic)
    }
    for (let round = 0; round < rounds; round++) {
      for (const topic of this.topics) for (let batches = this.#random.below(4); batches > 0; batches--) this.#send(world, topic)
      // Not all of it is always done.
      for (let turns = this.#random.below(3); turns > 0; turns--) {
        world.io.turn()
        if (this.#random.below(3) > 0) disk.endSyncs()
      }
      world.advance()
      this.#hear(world)
      world.clock.advance(this.#random.below(2 * BACKOFF_MS))
      if (this.#random.below(3) > 0) await world.io.cleaningIdle()
      this.cleanedJobs = world.cleanedJobs
    }
    if (this.#random.below(2) > 0) return
    await world.io.stopCleaning()
    world.io.close()
    this.#hear(world)
  }

  #send(world: IoWorld, topic: Topic): void {
    const random = this.#random
    const records = Array.from({ length: 1 + random.below(3) }, () => ({
      key: random.below(4) === 0 ? `once ${random.below(200)}` : `k${random.below(6)}`,
      value: random.below(5) === 0 ? null : `${random.uint32()}`.padEnd(random.below(120), '.'),
      timestampMs: Math.floor(world.clock.nowMs()),
    }))
    const offset = world.appendKeyed(world.slot(topic), records, { compression: random.below(6) === 0 ? 4 : 0 })
    if (offset >= 0) this.told[topic].sent.push(...records)
  }

  #hear(world: IoWorld): void {
    for (const topic of this.topics) {
      const told = this.told[topic]
      told.acknowledged = Math.max(told.acknowledged, world.log(world.slot(topic)).highWatermark)
    }
  }

  /** What is wrong with what the next process finds, before and after it has compacted; `lost`: acknowledged records behind its end. */
  async check(disk: SimulatedDisk, bootId: string): Promise<{ faults: string[]; lost: Record<Topic, number> }> {
    const faults: string[] = []
    const lost = { cache: 0, disk: 0 }
    const world = new IoWorld(disk, { bootId, config })
    for (const topic of this.topics) {
      if (world.image.topic(topic) === undefined) {
        faults.push(`topic ${topic}, which was made, is not there`)
        continue
      }
      const slot = world.slot(topic)
      const { endOffset } = world.log(slot)
      if (world.control(slot).haveFilesFailed) faults.push(`${topic} is fenced: ${world.messages.join('; ')}`)
      if (endOffset > this.told[topic].sent.length) faults.push(`${topic}: more is found than was sent`)
      lost[topic] = Math.max(0, this.told[topic].acknowledged - endOffset)
      faults.push(...this.#faultsOf(disk, topic, endOffset))
    }
    if (faults.length > 0) return { faults, lost }
    const ends = new Map([...this.topics].map((topic) => [topic, world.log(world.slot(topic)).endOffset]))
    await world.clean()
    await world.io.stopCleaning()
    world.io.close()
    for (const [topic, endOffset] of ends) {
      if (world.control(world.slot(topic)).haveFilesFailed) faults.push(`${topic} is fenced: ${world.messages.join('; ')}`)
      faults.push(...this.#faultsOf(disk, topic, endOffset).map((fault) => `compacted again, ${fault}`))
    }
    return { faults, lost }
  }

  #faultsOf(disk: SimulatedDisk, topic: Topic, endOffset: number): string[] {
    const directory = `${DATA_DIR}/broker-0/${topic}-0`
    const found = disk.exists(directory) ? readKeyedRecords(disk, directory) : []
    const { sent } = this.told[topic]
    const faults: string[] = []
    let offset = -1
    for (const each of found) {
      if (each.offset <= offset || each.offset >= endOffset) faults.push(`${topic}: offset ${each.offset} is found behind ${offset}`)
      offset = each.offset
      const told = sent[each.offset]
      if (told?.key !== each.key || told.value !== each.value) faults.push(`${topic}: what is found at offset ${each.offset} was not sent`)
    }
    const lasts = new Map(sent.slice(0, endOffset).map(({ key, value }, at) => [key, { at, value }]))
    const foundLasts = new Map(found.map(({ key, offset: at }) => [key, at]))
    for (const [key, { at, value }] of lasts) {
      const is = foundLasts.get(key)
      // A tombstone may be gone, if all that it deleted is.
      if (is === at || (value === null && is === undefined)) continue
      faults.push(`${topic}: the last of ${key} is at ${at}; ${is === undefined ? 'none' : `that at ${is}`} is found`)
    }
    return faults
  }
}

async function stopped(random: Random, stopAt: number): Promise<{ disk: SimulatedDisk; history: History }> {
  const disk = new SimulatedDisk()
  const history = new History(random)
  disk.plan([{ kind: 'stop', at: stopAt }])
  try {
    await history.work(disk, 14)
  } catch (error) {
    if (!(error instanceof SimulatedStop)) throw error
  }
  return { disk, history }
}

test(`without a fault it compacts, seed ${SEED}`, async () => {
  const disk = new SimulatedDisk()
  const history = new History(seededRandom(SEED))
  await history.work(disk, 60)
  expect(history.cleanedJobs).toBeGreaterThan(10)
  expect(await history.check(disk.killState(), 'boot 1')).toEqual({ faults: [], lost: { cache: 0, disk: 0 } })
  const { length } = readKeyedRecords(disk, `${DATA_DIR}/broker-0/disk-0`)
  expect(length).toBeLessThan(history.told.disk.sent.length * 0.8)
})

describe('power cuts', () => {
  test(`nothing that was last of its key is lost, and of disk nothing at all, seed ${SEED}`, async () => {
    const random = seededRandom(SEED)
    let states = 0
    let lostOfCache = 0
    let cleanedJobs = 0
    while (states < 300) {
      const stopAt = 40 + random.below(700)
      const { disk, history } = await stopped(random, stopAt)
      cleanedJobs += history.cleanedJobs
      for (const { disk: state, description } of disk.crashStates(random.uint32(), { drawn: 4, max: 8 })) {
        const { faults, lost } = await history.check(state, 'boot 2')
        expect(faults, `stop at ${stopAt}: ${description}`).toEqual([])
        expect(lost.disk, `stop at ${stopAt}: ${description}`).toBe(0)
        lostOfCache += lost.cache > 0 ? 1 : 0
        states++
      }
    }
    expect(lostOfCache).toBeGreaterThan(5)
    expect(cleanedJobs).toBeGreaterThan(50)
  }, 120_000)
})

describe('kills', () => {
  test(`nothing that was acknowledged is lost, seed ${SEED}`, async () => {
    const random = seededRandom(SEED + 1)
    for (let i = 0; i < 80; i++) {
      const stopAt = 40 + 9 * i
      const { disk, history } = await stopped(random, stopAt)
      const { cutWriteBytes } = disk
      const kept = cutWriteBytes > 0 ? random.below(cutWriteBytes) : undefined
      const { faults, lost } = await history.check(disk.killState(kept), 'boot 1')
      expect(faults, `stop at ${stopAt}`).toEqual([])
      expect(lost, `stop at ${stopAt}`).toEqual({ cache: 0, disk: 0 })
    }
  }, 120_000)
})

describe('calls that fail', () => {
  test.each<FaultKind>(['EIO', 'ENOSPC', 'short'])(
    `%s, seed ${SEED}`,
    async (kind) => {
      const random = seededRandom(SEED + 2)
      let bitten = 0
      for (let i = 0; i < 50; i++) {
        const at = 40 + 12 * i
        const disk = new SimulatedDisk()
        const history = new History(random)
        disk.plan([{ kind, at }])
        try {
          await history.work(disk, 14)
        } catch (error) {
          // The directory could not be opened at all, saying why.
          expect((error as { code?: string }).code, String((error as Error).stack)).toBe('KAFKA_STORAGE_ERROR')
        }
        bitten += disk.faultsBitten
        const { faults, lost } = await history.check(disk.killState(), 'boot 1')
        expect(faults, `${kind} at ${at}`).toEqual([])
        expect(lost, `${kind} at ${at}`).toEqual({ cache: 0, disk: 0 })
      }
      // What is cut short bites reads and writes alone.
      expect(bitten).toBeGreaterThan(kind === 'short' ? 4 : 25)
    },
    120_000,
  )
})
