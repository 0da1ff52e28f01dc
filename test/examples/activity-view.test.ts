import { from, lastValueFrom, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { ActivityBatch } from '../../examples/user-activity/activity-view.ts'
import { ActivityCounts, activityShares } from '../../examples/user-activity/activity-view.ts'
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

function batch(firstOffset: number, nextOffset: number): ActivityBatch {
  const records = LINES.slice(firstOffset, nextOffset).map(([key, timestamp, value]) => ({ key, timestamp, value }))
  return { partition: 3, firstOffset, nextOffset, [Symbol.iterator]: () => records[Symbol.iterator]() }
}

describe('activityShares', () => {
  it('says of each batch what it adds, and which offsets it covers', async () => {
    const shares = await lastValueFrom(activityShares(from([batch(0, 1), batch(1, 4)])).pipe(toArray()))
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

  it('adds up, however it is cut into batches', async () => {
    const whole = new ClientLedger()
    for (const line of LINES) whole.add(...line)
    for (const cuts of [
      [0, 4],
      [0, 1, 4],
      [0, 1, 2, 3, 4],
    ]) {
      const batches = cuts.slice(1).map((end, at) => batch(cuts[at]!, end))
      const views = new ActivityCounts()
      const ledger = new ClientLedger()
      for (const { view, lines } of await lastValueFrom(activityShares(from(batches)).pipe(toArray()))) {
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
