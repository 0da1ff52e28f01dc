// A round is planned by its seed alone.

import { expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { FAULT_KINDS, IO_KINDS, planRound } from './round-plan.ts'
import type { FaultKind } from './round-plan.ts'

const SEED = 0x91a
const random = seededRandom(SEED)
const SEEDS = Array.from({ length: 200 }, () => random.uint32())

test('the same seed plans the same round, another one another', () => {
  const texts = SEEDS.map((seed) => JSON.stringify(planRound(seed, { faults: 25 })))
  expect(SEEDS.map((seed) => JSON.stringify(planRound(seed, { faults: 25 })))).toEqual(texts)
  expect(new Set(texts.map((text) => text.slice(text.indexOf(','))))).toHaveProperty('size', SEEDS.length)
})

test('every kind of fault comes in each round of 25, and every other part in some', () => {
  const plans = SEEDS.map((seed) => planRound(seed, { faults: 25, durability: 'mixed' }))
  const kinds = Object.keys(FAULT_KINDS) as FaultKind[]
  for (const { faults, files } of plans) {
    const wanted = files === undefined ? kinds.filter((kind) => !IO_KINDS.has(kind)) : kinds
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(wanted))
  }
  expect(new Set(plans.map(({ brokers }) => brokers))).toEqual(new Set([1, 2, 3, 4, 5]))
  expect(new Set(plans.flatMap(({ producers }) => producers.map(({ mode }) => mode))).size).toBe(6)
  expect(new Set(plans.flatMap(({ producers }) => producers.map(({ options }) => options.acks)))).toEqual(new Set([undefined, 'all', 1]))
  expect(new Set(plans.flatMap(({ consumers }) => consumers.map(({ mode }) => mode)))).toEqual(new Set(['batches', 'records']))
  expect(plans.some(({ logMemoryBytes }) => logMemoryBytes < 64 * 1024 * 1024)).toBe(true)
})

test('what it hits is there', () => {
  for (const seed of SEEDS) {
    const { faults, logs, topics, brokers } = planRound(seed, { faults: 50 })
    expect(topics.reduce((sum, { partitions }) => sum + partitions, 0)).toBe(logs)
    for (const { log, passing, other } of faults) {
      expect(log).toBeGreaterThanOrEqual(0)
      expect(log).toBeLessThan(logs)
      expect(passing).toBeGreaterThanOrEqual(1)
      expect(other).toBeLessThan(Math.max(1, brokers - 1))
    }
  }
})

test('faults of some kinds alone, and of so many brokers', () => {
  const kinds: FaultKind[] = ['terminate', 'stall']
  const { faults, brokers } = planRound(SEED, { faults: 8, kinds, brokersMin: 4, brokersMax: 4 })
  expect(faults.filter(({ kind }) => kind === 'terminate')).toHaveLength(4)
  expect(faults.filter(({ kind }) => kind === 'stall')).toHaveLength(4)
  expect(brokers).toBe(4)
})

test('files: of all topics as deep as is asked, or drawn, and never all in memory', () => {
  for (const seed of SEEDS) {
    const inMemory = planRound(seed, { faults: 25, durability: 'memory' })
    expect(inMemory.files).toBeUndefined()
    expect(inMemory.topics.every(({ durability }) => durability === 'memory')).toBe(true)
    expect(inMemory).toEqual(planRound(seed, { faults: 25 }))
    const onDisk = planRound(seed, { faults: 25, durability: 'disk' })
    expect(onDisk.topics.every(({ durability, config }) => durability === 'disk' && config['millrace.durability'] === 'disk')).toBe(true)
  }
  const mixed = SEEDS.map((seed) => planRound(seed, { faults: 25, durability: 'mixed' }))
  expect(new Set(mixed.map(({ files }) => files?.ending))).toEqual(new Set([undefined, 'close', 'kill']))
  expect(new Set(mixed.map(({ files }) => files?.isTight))).toEqual(new Set([undefined, true, false]))
  expect(new Set(mixed.flatMap(({ topics }) => topics.map(({ durability }) => durability)))).toEqual(new Set(['memory', 'cache', 'disk']))
  for (const { files, topics } of mixed) expect(topics.some(({ durability }) => durability !== 'memory')).toBe(files !== undefined)
})

test('faults of the I/O thread alone have one', () => {
  for (const seed of SEEDS) expect(planRound(seed, { faults: 3, kinds: ['io'], durability: 'mixed' }).files).toBeDefined()
  expect(() => planRound(SEED, { faults: 3, kinds: ['io'] })).toThrow('there is no I/O thread without files')
})
