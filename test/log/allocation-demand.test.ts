import { expect, test } from 'vitest'
import { AllocationDemand } from '../../src/log/allocation-demand.ts'

test('nothing is kept where nothing was needed', () => {
  const demand = new AllocationDemand(10_000)
  demand.sample(5)
  expect(demand.reserveGranules).toBe(0)
})

test('two extents of the largest order needed lately, at once', () => {
  const demand = new AllocationDemand(10_000)
  demand.sample(1)
  demand.note(0)
  demand.sample(1.1)
  expect(demand.reserveGranules).toBe(2)
  demand.note(9)
  demand.sample(1.2)
  expect(demand.reserveGranules).toBe(1024)
})

test('small extents at a high rate: what a few milliseconds use', () => {
  const demand = new AllocationDemand(10_000)
  for (let ms = 1; ms < 100; ms++) {
    for (let i = 0; i < 64; i++) demand.note(0)
    demand.sample(ms)
  }
  expect(demand.reserveGranules).toBe(256)
  // One large extent now and then is no rate.
  demand.note(9)
  demand.sample(101)
  expect(demand.reserveGranules).toBe(1024)
})

test('never more than it may', () => {
  const demand = new AllocationDemand(100)
  demand.note(9)
  demand.sample(3)
  expect(demand.reserveGranules).toBe(100)
})

test('a large order that is not needed any more fades', () => {
  const demand = new AllocationDemand(10_000)
  demand.note(9)
  demand.sample(1)
  let nowMs = 1
  for (; nowMs < 2_000; nowMs += 10) {
    demand.note(1)
    demand.sample(nowMs)
  }
  expect(demand.order).toBe(1)
})

test('after long quiet nothing is kept', () => {
  const demand = new AllocationDemand(10_000)
  demand.note(5)
  demand.sample(1)
  demand.sample(900)
  expect(demand.reserveGranules).toBeGreaterThan(0)
  demand.sample(1_001)
  expect(demand.reserveGranules).toBe(0)
})
