import { describe, expect, it } from 'vitest'
import type { ReadRecord } from '../../examples/user-activity/activity-view.ts'
import { ActivityCounts, ActivityShares } from '../../examples/user-activity/activity-view.ts'
import { ClientLedger } from '../../examples/user-activity/client-ledger.ts'
import type { UserActivity } from '../../examples/user-activity/topics.ts'

const MINUTE_MS = 60_000
const VISIT = { user: null, method: 'GET', protocol: 'HTTP/1.1', status: 200, bytes: 10, referrer: null, agent: 'x' }

type Line = readonly [key: string, timestamp: number, value: UserActivity]

const LINES: readonly Line[] = [
  ['a', 0, { ...VISIT, path: '/', sequence: 1 }],
  ['a', MINUTE_MS, { ...VISIT, path: '/x', sequence: 2 }],
  ['b', MINUTE_MS + 1, { ...VISIT, path: '/', sequence: 1 }],
  ['a', 2 * MINUTE_MS, { ...VISIT, path: '/', sequence: 3 }],
]

function records(firstOffset: number, nextOffset: number, partition = 3): ReadRecord[] {
  return LINES.slice(firstOffset, nextOffset).map(([key, timestamp, value], at) => ({
    partition,
    offset: firstOffset + at,
    key,
    timestamp,
    value,
  }))
}

function reading(...partitions: readonly number[]): ActivityShares {
  const shares = new ActivityShares()
  for (const partition of partitions) shares.begin(partition, 0)
  return shares
}

describe('ActivityShares', () => {
  it('say of each batch what it adds, and which offsets it covers', () => {
    const view = reading(3)
    const shares = [...view.of(records(0, 1)), ...view.of(records(1, 4))]
    expect(shares.map(({ partition, firstOffset, nextOffset }) => [partition, firstOffset, nextOffset])).toEqual([
      [3, 0, 1],
      [3, 1, 4],
    ])
    expect(shares[1]!.view).toEqual({
      views: 3,
      firstMs: MINUTE_MS,
      lastMs: 2 * MINUTE_MS,
      minutes: [
        { key: MINUTE_MS, count: 2 },
        { key: 2 * MINUTE_MS, count: 1 },
      ],
      pages: [
        { key: '/x', count: 1 },
        { key: '/', count: 2 },
      ],
      clients: [
        { key: 'a', count: 2 },
        { key: 'b', count: 1 },
      ],
    })
  })

  it('are one for each partition of a batch', () => {
    const shares = reading(1, 3).of([...records(0, 1, 1), ...records(0, 2, 3), ...records(1, 2, 1)])
    expect(shares.map(({ partition, firstOffset, nextOffset, view }) => [partition, firstOffset, nextOffset, view.views])).toEqual([
      [1, 0, 2, 2],
      [3, 0, 2, 2],
    ])
  })

  it('leave out what is counted already, and what is of a partition that is no longer here', () => {
    const view = reading(1)
    view.begin(3, 2)
    const [share, ...others] = view.of(records(0, 4))
    expect([share!.firstOffset, share!.nextOffset, share!.view.views, others]).toEqual([2, 4, 2, []])
    view.end(1)
    expect(view.of(records(0, 1, 1))).toEqual([])
    view.begin(3, 3) // it comes back, and is read again
    expect(view.of(records(2, 4)).map(({ firstOffset }) => firstOffset)).toEqual([3])
  })

  it('are none when records are missing', () => {
    const view = reading(3)
    expect(() => view.of([...records(0, 1), ...records(2, 4)])).toThrow('records of partition 3 went before they were read')
  })

  it('add up, however it is cut into batches', () => {
    const whole = new ClientLedger()
    for (const line of LINES) whole.add(...line)
    for (const cuts of [
      [0, 4],
      [0, 1, 4],
      [0, 1, 2, 3, 4],
    ]) {
      const shares = reading(3)
      const views = new ActivityCounts()
      const ledger = new ClientLedger()
      const parts = cuts.slice(1).flatMap((end, at) => shares.of(records(cuts[at]!, end)))
      for (const { view, lines } of parts) {
        views.merge(view)
        ledger.addPart(lines)
      }
      expect(views.snapshot(5)).toMatchObject({
        views: 4,
        firstMs: 0,
        lastMs: 2 * MINUTE_MS,
        pages: [
          { key: '/', count: 3 },
          { key: '/x', count: 1 },
        ],
      })
      expect(ledger.totals()).toEqual(whole.totals())
    }
  })
})
