// What tapes say of time, on tapes written by hand.

import { expect, test } from 'vitest'
import { ARRIVED, ASSIGNED, GroupTape, HANDED_OUT, KEPT_FOR_IT, LEFT, LOST, REVOKED } from '../group-history.ts'
import type { GroupEvent, GroupRow } from '../group-history.ts'
import { timesOf } from './group-times.ts'
import type { GroupTimes, GroupTimesOptions } from './group-times.ts'

type Line = readonly [GroupEvent, ms: number, row?: Partial<GroupRow>]

function tapeOf(member: number, lines: readonly Line[]): GroupTape {
  const tape = GroupTape.allocate(100)
  for (const [what, ms, row = {}] of lines) tape.write(what, { group: 0, member, log: 0, tick: ms, ms, ...row })
  return tape
}

function timed(tapes: readonly GroupTape[], options: Partial<GroupTimesOptions> = {}): GroupTimes {
  return timesOf(tapes, { groups: 1, logs: 1, sessionTimeoutMs: 1_000, deaths: [], quiet: () => true, sentTick: () => 1, ...options })
}

const given = (ms: number): Line[] => [
  [ASSIGNED, 0, { epoch: 1 }],
  [HANDED_OUT, 5],
  [REVOKED, ms],
]
const taken = (ms: number): Line[] => [
  [ASSIGNED, ms - 5, { epoch: 2 }],
  [HANDED_OUT, ms],
  [HANDED_OUT, ms + 50],
]

test('from giving up to the first batch of the next, where nothing else was wrong', () => {
  const tapes = [tapeOf(1, given(100)), tapeOf(2, taken(130))]
  expect(timed(tapes)).toMatchObject({ handOverMs: [30], rebalances: 2, moves: 2 })
  expect(timed(tapes, { quiet: (from, to) => from > 100 || to < 130 }).handOverMs).toEqual([])
})

test('from the death of a thread to the first batch of another', () => {
  const dead = tapeOf(1, given(100).slice(0, 2))
  expect(timed([dead, tapeOf(2, taken(90))], { deaths: [{ kind: 'died', ms: 40, tape: dead }] }).takeOverMs).toEqual([50])
  // One that was put out in between was too slow.
  const slow = tapeOf(3, [
    [ASSIGNED, 50],
    [LOST, 70],
  ])
  expect(timed([dead, slow, tapeOf(2, taken(90))], { deaths: [{ kind: 'died', ms: 40, tape: dead }] }).takeOverMs).toEqual([])
  const { takeOverMs, abandoned } = timed([dead], { deaths: [{ kind: 'died', ms: 40, tape: dead }] })
  expect({ takeOverMs, abandoned }).toEqual({ takeOverMs: [], abandoned: ['group 0, log 0 of member 1'] })
})

test('where there was nothing to read, until it could have been read', () => {
  const tapes = [tapeOf(1, given(100)), tapeOf(2, taken(130))]
  expect(timed(tapes, { sentTick: () => 124 }).handOverMs).toEqual([30])
  expect(timed(tapes, { sentTick: () => 126 }).handOverMs).toEqual([25])
})

test.each<[string, readonly Line[], number]>([
  ['has left and comes again', [[LEFT, 110, { log: -1 }]], 30 + 20],
  ['gives up its own for now', [[REVOKED, 90, { log: 1, end: KEPT_FOR_IT }]], 30],
  ['was put out', [[LOST, 105, { log: 1 }]], 30 + 15],
])('time in which a static member %s does not count', (_, lines, expected) => {
  const before: Line[] = [[ARRIVED, 0, { log: -1, offset: 3 }], ...lines]
  // Of the 80 ms up to 170 it was away until 140.
  const back: Line = [ARRIVED, 140, { log: -1, offset: 3 }]
  const tapes = [tapeOf(1, given(90)), tapeOf(2, taken(170)), tapeOf(3, before), tapeOf(4, [back])]
  expect(timed(tapes, { logs: 2 }).handOverMs).toEqual([expected])
})

test('a static member that does not come back is away for a session, one of another group is not asked about', () => {
  const gone = (group: number): GroupTape =>
    tapeOf(3, [
      [ARRIVED, 0, { group, log: -1, offset: 3 }],
      [LEFT, 90, { group, log: -1 }],
    ])
  const tapes = [tapeOf(1, given(100)), tapeOf(2, taken(2_000))]
  expect(timed([...tapes, gone(0)]).handOverMs).toEqual([1_900 - 990])
  expect(timed([...tapes, gone(1)], { groups: 2 }).handOverMs).toEqual([1_900])
  // Two at once are away no longer than one.
  expect(timed([...tapes, gone(0), gone(0)]).handOverMs).toEqual([1_900 - 990])
})
