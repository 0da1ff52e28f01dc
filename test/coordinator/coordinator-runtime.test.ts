import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { CoordinatorRuntime } from '../../src/coordinator/coordinator-runtime.ts'
import type { Handler } from '../../src/coordinator/coordinator-runtime.ts'
import type { CoordinatorStep } from '../../src/coordinator/coordinator-shard.ts'
import { SnapshotRegistry, TimelineValue } from '../../src/coordinator/timeline.ts'
import type { ErrorName } from '../../src/errors.ts'

/** A counter that is kept in a log. */
class Counter {
  readonly value: TimelineValue<number>
  readonly fired: string[] = []

  constructor(registry: SnapshotRegistry) {
    this.value = new TimelineValue(registry, 0)
  }

  replay(add: number): void {
    this.value.set(this.value.get() + add)
  }

  timerFired(timer: string): CoordinatorStep<number> {
    this.fired.push(timer)
    return { records: [100], news: ['someone'] }
  }
}

function start(loaded: readonly number[] = []) {
  const registry = new SnapshotRegistry()
  const shard = new Counter(registry)
  const clock = new VirtualClock()
  const log = {
    batches: [] as (readonly number[])[],
    endOffset: loaded.length,
    highWatermark: loaded.length,
    room: true,
    append(records: readonly number[]): number | ErrorName {
      if (!this.room) return 'COORDINATOR_NOT_AVAILABLE'
      this.batches.push(records)
      this.endOffset += records.length
      return this.endOffset
    },
  }
  const fenced: string[] = []
  const runtime = new CoordinatorRuntime<number, Counter>({
    name: 'the coordinator',
    registry,
    shard,
    log,
    clock,
    onFenced: (host) => fenced.push(host),
  })
  for (const record of loaded) runtime.replay(record)
  const commit = (): void => {
    log.highWatermark = log.endOffset
    runtime.advance()
  }
  return { registry, shard, clock, log, fenced, runtime, commit }
}

const add =
  (...records: number[]): Handler<number, Counter> =>
  (shard, requestId) => ({ records, replies: [{ requestId, response: shard.value.get() + records.reduce((sum, each) => sum + each, 0) }] })

const read: Handler<number, Counter> = (shard, requestId, _time, committed) => ({
  replies: [{ requestId, response: shard.value.get(committed) }],
})

/** What a promise has come to by now. */
async function now(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise.catch((error: { code: string }) => error.code), Promise.resolve().then(() => 'pending')])
}

describe('a coordinator', () => {
  test('answers what it has appended when that is committed, and reads what is', async () => {
    const { runtime, log, commit } = start([1, 2])
    runtime.activate()
    const added = runtime.ask(add(10, 20))
    const again = runtime.ask(add(5))
    const seen = runtime.ask(read)
    expect(log.batches).toEqual([[10, 20], [5]])
    expect(await now(added)).toBe('pending')
    commit()
    expect(await Promise.all([added, again, seen])).toEqual([33, 38, 3])
    expect(await runtime.ask(read)).toBe(38)
  })

  test('answers who has asked as the shard says it, when the log has no room', async () => {
    const { log, runtime, commit } = start()
    runtime.activate()
    const before = runtime.ask(add(1))
    log.room = false
    const refused = runtime.ask((_shard, requestId) => ({
      records: [5],
      replies: [{ requestId, response: 'done' }],
      failed: (error) => ({ replies: [{ requestId, response: `too large: ${error}` }] }),
    }))
    // Behind what was appended before it, as every answer.
    expect(await now(refused)).toBe('pending')
    commit()
    expect([await now(before), await now(refused)]).toEqual([1, 'too large: COORDINATOR_NOT_AVAILABLE'])
  })

  test('decides nothing when the log has no room, and says so', async () => {
    const { runtime, log, shard, commit } = start()
    runtime.activate()
    log.room = false
    const failed: string[] = []
    const refused = runtime.ask((_shard, requestId) => ({
      records: [1],
      applied: () => failed.push('applied'),
      failed: (error) => {
        failed.push(error)
        return {}
      },
      replies: [{ requestId, response: 'done' }],
    }))
    expect(await now(refused)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect([shard.value.get(), failed]).toEqual([0, ['COORDINATOR_NOT_AVAILABLE']])
    log.room = true
    const added = runtime.ask(add(1))
    commit()
    expect(await added).toBe(1)
  })

  test('is asked in vain before it has loaded, and after it was closed', async () => {
    const { runtime, clock } = start([7])
    expect(await now(runtime.ask(read))).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    runtime.activate()
    const waiting = runtime.ask(add(1))
    const held = runtime.ask((_shard, requestId) => ({ replies: [{ requestId, response: 'same' }] }), {
      key: 'someone',
      holdMs: 1_000,
      isNothingNew: () => true,
    })
    runtime.close()
    expect(await Promise.all([now(waiting), now(held), now(runtime.ask(read))])).toEqual(Array(3).fill('NOT_COORDINATOR'))
    expect(clock.pending).toBe(0)
  })

  test('takes back what will never be committed', async () => {
    const { runtime, shard, commit } = start([1])
    runtime.activate()
    void runtime.ask(add(1))
    commit()
    const lost = runtime.ask(add(10))
    runtime.fail()
    expect(await now(lost)).toBe('KAFKA_STORAGE_ERROR')
    expect(shard.value.get()).toBe(2)
    expect(await runtime.ask(read)).toBe(2)
  })

  test('timers fire once, and can be moved and taken back', () => {
    const { runtime, shard, clock } = start()
    runtime.activate()
    runtime.tell(() => [
      {
        timers: [
          { timer: 'a', atMs: 10 },
          { timer: 'b', atMs: 20 },
          { timer: 'c', atMs: 30 },
        ],
      },
    ])
    runtime.tell(() => [
      {
        timers: [
          { timer: 'a', atMs: 40 },
          { timer: 'b', atMs: undefined },
        ],
      },
    ])
    clock.advance(35)
    expect(shard.fired).toEqual(['c'])
    clock.advance(100)
    expect(shard.fired).toEqual(['c', 'a'])
    expect([shard.value.get(), clock.pending]).toEqual([200, 0])
  })

  test('members that are put out are told before anything else follows', async () => {
    const { runtime, fenced, log } = start()
    runtime.activate()
    runtime.tell(() => [{ records: [1], fenced: ['thread-1.1@00000000'] }])
    expect([fenced, log.endOffset]).toEqual([['thread-1.1@00000000'], 1])
  })

  describe('an answer that says nothing new', () => {
    const beat: Handler<number, Counter> = (shard, requestId) => ({ replies: [{ requestId, response: shard.value.get() }] })
    const hold = { key: 'someone', holdMs: 1_000, isNothingNew: (response: number) => response === 0 }

    test('is held back until there is news', async () => {
      const { runtime, commit } = start()
      runtime.activate()
      const held = runtime.ask<number>(beat, hold)
      expect(await now(held)).toBe('pending')
      runtime.tell(() => [{ records: [5], news: ['another', 'someone'] }])
      expect(await now(held)).toBe('pending')
      commit()
      expect(await held).toBe(5)
    })

    test('is given when its time is over, or when the same one asks again', async () => {
      const { runtime, clock } = start()
      runtime.activate()
      const first = runtime.ask<number>(beat, hold)
      const second = runtime.ask<number>(beat, hold)
      expect([await now(first), await now(second)]).toEqual([0, 'pending'])
      clock.advance(1_000)
      expect([await second, clock.pending]).toEqual([0, 0])
    })

    test('is given at once when it says something', async () => {
      const { runtime } = start([3])
      runtime.activate()
      expect(await runtime.ask<number>(beat, hold)).toBe(3)
    })
  })
})
