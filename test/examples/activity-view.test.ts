import { EMPTY, from, lastValueFrom, Subject, toArray } from 'rxjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ActivityRecord } from '../../examples/user-activity/activity-view.ts'
import { activityView, mergeSnapshots, SNAPSHOT_MS } from '../../examples/user-activity/activity-view.ts'

const MINUTE_MS = 60_000

function record(key: string, path: string, timestamp: number): ActivityRecord {
  return { key, timestamp, value: { path } }
}

const RECORDS = [record('a', '/', 0), record('a', '/x', MINUTE_MS), record('b', '/', MINUTE_MS + 1), record('a', '/', 2 * MINUTE_MS)]

afterEach(() => {
  vi.useRealTimers()
})

describe('activityView', () => {
  it('ends with all that was counted', async () => {
    expect(await lastValueFrom(activityView(from(RECORDS)))).toEqual({
      views: 4,
      firstMs: 0,
      lastMs: 2 * MINUTE_MS,
      minutes: [
        { key: 0, count: 1 },
        { key: MINUTE_MS, count: 2 },
        { key: 2 * MINUTE_MS, count: 1 },
      ],
      pages: [
        { key: '/', count: 3 },
        { key: '/x', count: 1 },
      ],
      clients: [
        { key: 'a', count: 3 },
        { key: 'b', count: 1 },
      ],
    })
  })

  it('says nothing about nothing', async () => {
    expect(await lastValueFrom(activityView(EMPTY).pipe(toArray()))).toEqual([])
    expect(mergeSnapshots([]).snapshot(5)).toMatchObject({ views: 0, pages: [] })
  })

  it('says twice a second how things stand', () => {
    vi.useFakeTimers()
    const records = new Subject<ActivityRecord>()
    const views: number[] = []
    activityView(records).subscribe((view) => views.push(view.views))
    records.next(RECORDS[0]!)
    records.next(RECORDS[1]!)
    vi.advanceTimersByTime(SNAPSHOT_MS)
    vi.advanceTimersByTime(SNAPSHOT_MS)
    records.next(RECORDS[2]!)
    vi.advanceTimersByTime(SNAPSHOT_MS)
    records.complete()
    expect(views).toEqual([2, 3, 3])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts anew for each subscriber', async () => {
    const view = activityView(from(RECORDS))
    expect(await lastValueFrom(view)).toEqual(await lastValueFrom(view))
  })

  it('adds up over threads', async () => {
    const threads = [RECORDS.slice(0, 1), RECORDS.slice(1)].map((records) => lastValueFrom(activityView(from(records))))
    expect(mergeSnapshots(await Promise.all(threads)).snapshot(Infinity)).toEqual(await lastValueFrom(activityView(from(RECORDS))))
  })
})
