import { describe, expect, test } from 'vitest'
import { LANE_MUTANTS, laneModel } from './lane-model.ts'
import type { LaneModelOptions, LaneMutant } from './lane-model.ts'
import { explore } from './step-explorer.ts'

// Every schedule of each of these is walked: frames, where the ring starts (positions
// wrap at 16, places at 4), frames in flight, how the producer ends.
const CONFIGURATIONS: readonly LaneModelOptions[] = [
  { frames: [1, 1], startPosition: 0, ackSlots: 1 },
  { frames: [2, 1, 2], startPosition: 14, ackSlots: 2 },
  { frames: [1, 2, 2, 1], startPosition: 14, ackSlots: 2 },
  { frames: [2, 2, 2], startPosition: 15, ackSlots: 4 },
  { frames: [2, 1, 2, 2], startPosition: 13, ackSlots: 4 },
  { frames: [1, 1, 1, 1, 1, 1], startPosition: 7, ackSlots: 4 },
  { frames: [2, 2, 1], startPosition: 14, ackSlots: 4, closesEarly: true },
]

describe('every order of the steps of a lane', () => {
  test.each(CONFIGURATIONS)('$frames from $startPosition: whole frames only, no wake-up lost', (options) => {
    const found = explore(laneModel(options))
    expect(found.way).toEqual([])
    expect(found.violation).toBeUndefined()
    expect(found.ends).toBeGreaterThan(0)
    expect(found.states).toBeGreaterThan(500)
  })

  test.each(CONFIGURATIONS.slice(0, 4))('$frames from $startPosition, with a death between any two steps', (options) => {
    const found = explore(laneModel({ ...options, producerDies: true }))
    expect(found.way).toEqual([])
    expect(found.violation).toBeUndefined()
    expect(found.ends).toBeGreaterThan(0)
  })
})

describe('the explorer finds what is wrong', () => {
  const common = { frames: [2, 1, 2, 1], startPosition: 13, ackSlots: 2 }
  const FINDINGS: Record<(typeof LANE_MUTANTS)[number], readonly [Partial<LaneModelOptions>, string]> = {
    'tail before copy': [{}, 'a unit was read that was not published'],
    'bell before tail': [{}, 'a published frame is never taken'],
    'broker parks without a second look': [{}, 'a published frame is never taken'],
    'producer parks without a second look': [{}, 'the producer sleeps for ever'],
    'wanted after the second look': [{}, 'the producer sleeps for ever'],
    'wanted looked at before acks are published': [{}, 'the producer sleeps for ever'],
    'a want is spent on a bell that is not armed': [{}, 'the producer sleeps for ever'],
    'head before handler': [{ frames: [2, 2, 2], ackSlots: 4 }, 'a unit was read that was not published'],
    'one unit too many': [{ frames: [2, 2, 1], startPosition: 14, ackSlots: 4 }, 'a unit was read that was not published'],
    'no padding': [{ startPosition: 15 }, 'a unit was read that was not published'],
    'closed looked at after empty': [{ closesEarly: true }, 'a published frame is never taken'],
  }

  test.each(LANE_MUTANTS)('%s', (mutant) => {
    const [options, finding] = FINDINGS[mutant]
    const found = explore(laneModel({ ...common, ...options, mutant }))
    expect(found.violation).toBe(finding)
    expect(found.way.length).toBeGreaterThan(1)
  })

  // A thread that dies after it has swapped a bell and before it notifies leaves a
  // parked thread whose bell says "awake". Only the notice of its death helps: that is
  // why a broker looks at all its lanes when a port closes.
  test('a death that is not noticed', () => {
    const mutant: LaneMutant = 'death is not noticed'
    const found = explore(laneModel({ frames: [1, 2], startPosition: 13, ackSlots: 2, producerDies: true, mutant }))
    expect(found.violation).toBe('a published frame is never taken')
    expect(found.way.at(-1)).toContain('producer=dead')
  })
})
