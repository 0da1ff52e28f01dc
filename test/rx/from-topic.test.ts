import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  bufferCount,
  count,
  filter,
  finalize,
  firstValueFrom,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  share,
  take,
  takeUntil,
  tap,
  timer,
  toArray,
} from 'rxjs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Consumer, bytes, json, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../src/index.ts'
import { MillraceRecord, fromTopic } from '../../src/rxjs.ts'
import type { FromTopicOptions, Hold } from '../../src/rxjs.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** A topic with the numbers below `records` in each partition. */
async function filled(name: string, records: number, partitions = 1): Promise<Topic<string | null, number>> {
  const topic = await millrace.topic(name, { partitions, value: json<number>() })
  const producer = millrace.producer()
  for (let n = 0; n < records; n++) {
    for (let partition = 0; partition < partitions; partition++) {
      while (!producer.offer(topic, null, n, { partition })) await producer.drained()
    }
  }
  await producer.close()
  return topic
}

async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await nextTurn()
}

describe('fromTopic', () => {
  test('emits flat records, in order within each partition, and completes at the end', async () => {
    const topic = await filled('flat', 1_000, 3)
    const next = [0, 0, 0]
    await lastValueFrom(
      fromTopic(topic, { until: 'end' }).pipe(
        tap((record) => {
          expect(record).toBeInstanceOf(MillraceRecord)
          const { topic: name, partition, offset, key, value, timestamp, headers } = record
          expect([name, offset, key, value]).toEqual(['flat', next[partition], null, next[partition]])
          expect(timestamp).toBeGreaterThan(1_000_000_000_000)
          expect(headers.size).toBe(0)
          next[partition]!++
        }),
      ),
    )
    expect(next).toEqual([1_000, 1_000, 1_000])
  })

  test('by assignment: the partitions that are named', async () => {
    const topic = await filled('assigned', 100, 4)
    const partitions = await lastValueFrom(
      fromTopic(topic, { partitions: new Set([3, 1]), until: 'end' }).pipe(
        map(({ partition }) => partition),
        toArray(),
      ),
    )
    expect([...new Set(partitions)].sort()).toEqual([1, 3])
    expect(partitions).toHaveLength(200)
    // Any iterable, and each subscription anew.
    const some = fromTopic(topic, { partitions: new Map([[2, 0]]).keys(), until: 'end' })
    expect(await lastValueFrom(some.pipe(count()))).toBe(100)
    expect(await lastValueFrom(some.pipe(count()))).toBe(100)
  })

  test('each subscription reads on its own, from the start or from the end', async () => {
    const topic = await filled('twice', 50)
    const source = fromTopic(topic, { until: 'end' }).pipe(count())
    expect(await Promise.all([lastValueFrom(source), lastValueFrom(source)])).toEqual([50, 50])
    const late = firstValueFrom(fromTopic(topic, { autoOffsetReset: 'latest' }))
    await settle()
    await millrace.producer().send(topic, { value: 7_777 })
    expect((await late).value).toBe(7_777)
  })

  test('from the last so much time on, up to the last stable offset, and only when enough is there', async () => {
    const topic = await millrace.topic('last-hour', { value: json<number>() })
    const producer = millrace.producer()
    const nowMs = Date.now()
    for (const [value, ageMs] of [7_200_000, 60_000, 0].entries()) await producer.send(topic, { value, timestamp: nowMs - ageMs })
    const source = fromTopic(topic, {
      autoOffsetReset: 'by_duration:PT1H',
      isolationLevel: 'read_committed',
      fetchMinBytes: 200,
      fetchMaxWaitMs: 600_000,
    })
    const values: number[] = []
    const subscription = source.subscribe(({ value }) => values.push(value))
    await settle()
    // Two small batches are no 200 bytes.
    expect(values).toEqual([])
    const more = firstValueFrom(
      source.pipe(
        map(({ value }) => value),
        bufferCount(3),
      ),
    )
    await producer.sendAll(topic, [{ value: 3 }, { value: 4 }])
    expect(await more).toEqual([1, 2, 3])
    await vi.waitFor(() => expect(values).toEqual([1, 2, 3, 4]))
    subscription.unsubscribe()
  })

  test('waits for more without an end', async () => {
    const topic = await filled('live', 2)
    const values = firstValueFrom(
      fromTopic(topic).pipe(
        map(({ value }) => value),
        bufferCount(4),
      ),
    )
    const producer = millrace.producer()
    await producer.send(topic, { value: 2 })
    await settle()
    await producer.send(topic, { value: 3 })
    expect(await values).toEqual([0, 1, 2, 3])
  })

  test('synchronous operators are covered, and share serves several', async () => {
    const topic = await filled('shared', 500)
    const source = fromTopic(topic, { until: 'end', maxInFlight: 5 }).pipe(
      map(({ value }) => value),
      filter((value) => value % 2 === 0),
      tap(() => undefined),
      share(),
    )
    const results = await Promise.all([lastValueFrom(source.pipe(count())), lastValueFrom(source.pipe(toArray()))])
    expect(results[0]).toBe(250)
    expect(results[1]).toEqual(upTo(500).filter((n) => n % 2 === 0))
  })

  test('a thousand asynchronous turns: bytes and records as they were', async () => {
    const topic = await millrace.topic('bytes', { value: bytes() })
    const producer = millrace.producer({ batchSize: 2_048 })
    for (let n = 0; n < 2_000; n++) while (!producer.offer(topic, null, Buffer.from(`${n}`.repeat(10)))) await producer.drained()
    await producer.close()
    const kept = await lastValueFrom(fromTopic(topic, { until: 'end', lossless: false }).pipe(toArray()))
    for (const [n, record] of kept.entries()) expect(Buffer.from(record.value).toString()).toBe(`${n}`.repeat(10))
  })
})

describe('held and settled', () => {
  test('maxInFlight bounds the records that are held; each release lets one more come', async () => {
    const topic = await filled('in-flight', 200)
    const holds: Hold[] = []
    const seen: number[] = []
    let completed = false
    const subscription = fromTopic(topic, { until: 'end', maxInFlight: 16 }).subscribe({
      next: (record) => {
        holds.push(record.hold())
        seen.push(record.value)
      },
      complete: () => (completed = true),
    })
    await settle()
    expect(seen).toEqual(upTo(16))
    holds.shift()!.release()
    await settle()
    expect(seen).toEqual(upTo(17))
    // Any order, and more than once.
    for (const hold of holds.splice(0).reverse()) {
      hold.release()
      hold.release()
    }
    await settle()
    expect(seen).toEqual(upTo(33))
    while (holds.length > 0) {
      for (const hold of holds.splice(0)) hold.release()
      await settle(3)
    }
    expect(seen).toEqual(upTo(200))
    expect(completed).toBe(true)
    subscription.unsubscribe()
  })

  test('maxInFlightBytes bounds the batches of which records are held, by what was fetched', async () => {
    const topic = await millrace.topic('in-flight-bytes', { value: bytes() })
    const producer = millrace.producer({ batchSize: 100_000 })
    for (let n = 0; n < 400; n++) while (!producer.offer(topic, null, new Uint8Array(10_000))) await producer.drained()
    await producer.close()
    const holds: Hold[] = []
    let bytesHeld = 0
    const subscription = fromTopic(topic, { until: 'end', maxInFlight: 1_000_000, maxInFlightBytes: 1_000_000 }).subscribe((record) => {
      holds.push(record.hold())
      bytesHeld += record.value.length
    })
    await settle(50)
    // One fetch more than the bound at the most: it is asked before each record.
    expect(bytesHeld).toBeGreaterThan(500_000)
    expect(bytesHeld).toBeLessThan(1_300_000)
    const before = bytesHeld
    for (const hold of holds.splice(0)) hold.release()
    await settle(50)
    expect(bytesHeld).toBeGreaterThan(before)
    subscription.unsubscribe()
  })

  test('it completes only when all is settled', async () => {
    const topic = await filled('settles', 10)
    let hold: Hold | undefined
    let completed = false
    fromTopic(topic, { until: 'end' }).subscribe({
      next: (record) => {
        if (record.value === 9) hold = record.hold()
      },
      complete: () => (completed = true),
    })
    await settle()
    expect(completed).toBe(false)
    hold!.release()
    await settle()
    expect(completed).toBe(true)
  })

  test('a hold within a hold: settled with the last of them', async () => {
    const topic = await filled('nested', 2)
    const holds: Hold[] = []
    const seen: number[] = []
    fromTopic(topic, { until: 'end', maxInFlight: 1 }).subscribe((record) => {
      seen.push(record.value)
      if (record.value === 0) holds.push(record.hold(), record.hold())
    })
    await settle()
    holds[0]!.release()
    holds[0]!.release()
    await settle()
    expect(seen).toEqual([0])
    holds[1]!.release()
    await settle()
    expect(seen).toEqual([0, 1])
  })

  test('a hold that comes too late is refused, saying what to do', async () => {
    const topic = await filled('too-late', 1)
    const record = await firstValueFrom(fromTopic(topic))
    await settle()
    // The subscription was closed in the call that brought it: it is not settled, only lost.
    record.hold().release()
    let kept: MillraceRecord<string | null, number> | undefined
    await lastValueFrom(fromTopic(topic, { until: 'end' }).pipe(tap((each) => (kept = each))))
    expect(() => kept!.hold()).toThrow(
      expect.objectContaining({ code: 'SETTLED_EARLY', message: expect.stringContaining('record.hold()') as string }),
    )
  })

  test('without holds nothing is bounded: an operator of RxJS that keeps records takes all of them', async () => {
    const records = 3_000
    const topic = await filled('rxjs-keeps', records)
    let inside = 0
    const allInside = Promise.withResolvers<void>()
    // No work ends before all of them have begun: a source that waited for any of it would wait for ever.
    const work = async (): Promise<void> => {
      if (++inside === records) allInside.resolve()
      await allInside.promise
    }
    await lastValueFrom(fromTopic(topic, { until: 'end', maxInFlight: 10 }).pipe(mergeMap(work)))
    expect(inside).toBe(records)
  })
})

describe('lossless: false', () => {
  test('tracks nothing: holds are empty, and the source waits for nobody', async () => {
    const topic = await filled('untracked', 3_000)
    const records = await lastValueFrom(
      fromTopic(topic, { until: 'end', lossless: false }).pipe(
        tap((record) => record.hold()),
        toArray(),
      ),
    )
    expect(records).toHaveLength(3_000)
    records[0]!.hold().release()
  })
})

describe('how it ends', () => {
  const closes = vi.spyOn(Consumer.prototype, 'close')
  const alive = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length

  test.each<[string, (source: ReturnType<typeof fromTopic<string | null, number>>) => Promise<unknown>]>([
    ['take', async (source) => expect(await lastValueFrom(source.pipe(take(3), count()))).toBe(3)],
    ['takeUntil', (source) => lastValueFrom(source.pipe(takeUntil(timer(5)), count()))],
    [
      'unsubscribe while it waits',
      async (source) => {
        const subscription = source.subscribe()
        await settle()
        subscription.unsubscribe()
      },
    ],
    [
      'unsubscribe while records are held',
      async (source) => {
        const subscription = source.subscribe((record) => void record.hold())
        await settle()
        subscription.unsubscribe()
      },
    ],
    ['unsubscribe at once', async (source) => source.subscribe().unsubscribe()],
    ['an error downstream', (source) => expect(lastValueFrom(source.pipe(map(() => thrown('downstream'))))).rejects.toThrow('downstream')],
  ])('%s leaves nothing behind', async (_, end) => {
    const topic = await filled('leaves', 100)
    await settle()
    const before = alive()
    closes.mockClear()
    let finalized = 0
    await end(fromTopic(topic).pipe(finalize(() => finalized++)))
    await settle()
    expect(finalized).toBe(1)
    expect(closes).toHaveBeenCalledTimes(1)
    expect(alive()).toBe(before)
  })

  test('a subscriber stops in the middle of a batch: nothing comes behind', async () => {
    const topic = await filled('stops', 1_000)
    const seen: number[] = []
    const subscription = fromTopic(topic).subscribe(({ value }) => {
      seen.push(value)
      if (value === 41) subscription.unsubscribe()
    })
    await settle()
    expect(seen).toEqual(upTo(42))
  })

  test('errors of reading end it', async () => {
    const topic = await filled('errors', 1, 2)
    await expect(lastValueFrom(fromTopic(topic, { partitions: [0, 2] }))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('has no partition 2') as string,
    })
    const other = await openMillrace({ logMemoryBytes: 16 * 1024 * 1024 })
    const closed = await other.topic('closed')
    await other.close()
    await expect(lastValueFrom(fromTopic(closed))).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('a record that cannot be decoded: where it is touched, and the rest of the chain decides', async () => {
    const raw = await millrace.topic('undecodable', { value: string() })
    const producer = millrace.producer()
    await producer.sendAll(
      raw,
      ['1', '{', '3'].map((value) => ({ value })),
    )
    const topic = await millrace.topic('undecodable', { value: json<number>() })
    await expect(lastValueFrom(fromTopic(topic, { until: 'end' }).pipe(map(({ value }) => value)))).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining('undecodable-0 at offset 1') as string,
    })
    // Not touched, not decoded.
    expect(await lastValueFrom(fromTopic(topic, { until: 'end' }).pipe(count()))).toBe(3)
  })

  test('retention that overtakes it is told: to onOvertaken, or by a warning', async () => {
    const topic = await millrace.topic('overtaken', { value: bytes(), config: { 'retention.bytes': 2_000_000 } })
    const producer = millrace.producer()
    const send = async (records: number): Promise<void> => {
      for (let i = 0; i < records; i++) await producer.send(topic, { value: new Uint8Array(500_000) })
    }
    await send(1)
    const warnings: Error[] = []
    const hear = (warning: Error): void => void warnings.push(warning)
    process.on('warning', hear)
    const events: { missed: number }[] = []
    const failed = new Error('enough')
    const outcomes = [
      { onOvertaken: (event: { missed: number }) => void events.push(event) },
      { onOvertaken: () => thrown(failed) },
      {},
    ].map((options) => {
      // Stuck at the first record until the rest has gone by.
      let hold: Hold | undefined
      const outcome: { error?: unknown; release: () => void } = { release: () => hold!.release() }
      fromTopic(topic, { ...options, maxInFlight: 1 }).subscribe({
        next: (record) => (hold ??= record.hold()),
        error: (error: unknown) => (outcome.error = error),
      })
      return outcome
    })
    await settle()
    await send(40)
    for (const { release } of outcomes) release()
    await settle(50)
    process.off('warning', hear)
    // The second record was fetched, and waited to be emitted.
    expect(events).toMatchObject([{ topic: 'overtaken', partition: 0, from: 2 }])
    expect(events[0]!.missed).toBeGreaterThan(10)
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, failed, undefined])
    expect(warnings.filter(({ message }) => message.includes('overtaken-0'))).toHaveLength(1)
  })
})

describe('bad input', () => {
  test.each<[string, unknown, RegExp]>([
    ['a wrong name', { maxInFlights: 5 }, /there is no fromTopic option "maxInFlights": did you mean maxInFlight/],
    ['a group without a name', { groupId: '' }, /groupId must not be empty/],
    ['a callback without a group', { onRevoked: () => undefined }, /onRevoked is for a member of a group: set groupId/],
    ['commits by hand', { groupId: 'g', autoCommit: false }, /read by millrace.consumer\(\{ autoCommit: false \}\)/],
    ['a wrong number', { maxInFlight: 0 }, /maxInFlight must be a whole number of records/],
    ['a wrong end', { until: 'now' }, /until must be one of "end"/],
    ['a wrong reset', { autoOffsetReset: 'none' }, /autoOffsetReset must be one of "earliest", "latest"/],
    ['a duration that is none', { autoOffsetReset: 'by_duration:1h' }, /or 'by_duration:' and a duration in ISO 8601/],
    ['a wrong isolation', { isolationLevel: 'committed' }, /did you mean "read_committed"/],
    ['a bound of records', { maxPollRecords: 5 }, /bound them by maxInFlight/],
    ['no partition', { partitions: [] }, /partitions names none/],
    ['partitions that are none', { partitions: 3 }, /partitions must be an array/],
    [
      'a bound without tracking',
      { lossless: false, maxInFlight: 5 },
      /maxInFlight counts records that are held, and lossless: false holds none/,
    ],
    ['overflow under tracking', { overflow: 'drop-oldest' }, /overflow drops records, and lossless drops none/],
    ['a wrong overflow', { lossless: false, overflow: 'oldest' }, /overflow must be one of/],
    ['drops that cannot be', { lossless: false, onDropped: () => undefined }, /set overflow too/],
  ])('%s', async (_, options, message) => {
    const topic = await millrace.topic('bad-input')
    expect(() => fromTopic(topic, options as FromTopicOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringMatching(message) as string }),
    )
  })

  test('a topic that is not bound', async () => {
    const topic = await millrace.topic('bad-input')
    expect(() => fromTopic(topic.definition as never)).toThrow(/topic "bad-input" is only defined: bind it first/)
    expect(() => fromTopic(undefined as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    expect(() => fromTopic([])).toThrow(/was given no topic/)
  })
})

describe('the event loop', () => {
  test('a timer of 5 ms fires while half a million records flow', async () => {
    const topic = await millrace.topic('half-a-million', { partitions: 2, value: bytes() })
    const producer = millrace.producer()
    const value = new Uint8Array(20)
    for (let n = 0; n < 500_000; n++) while (!producer.offer(topic, null, value)) await producer.drained()
    await producer.close()
    let fired = 0
    let longestMs = 0
    let lastMs = performance.now()
    const interval = setInterval(() => {
      fired++
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }, 5)
    const records = await lastValueFrom(
      merge(fromTopic(topic, { until: 'end' }), fromTopic(topic, { until: 'end', lossless: false })).pipe(count()),
    )
    clearInterval(interval)
    expect(records).toBe(1_000_000)
    expect(fired).toBeGreaterThan(5)
    // 20 ms are promised; the machine that runs the suite may be busy.
    expect(longestMs).toBeLessThan(250)
  })

  test('a chain that takes a millisecond a record does not take the turns away', async () => {
    const topic = await filled('slow-chain', 300)
    let longestMs = 0
    let lastMs = performance.now()
    const interval = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }, 5)
    await lastValueFrom(
      fromTopic(topic, { until: 'end' }).pipe(
        tap(() => busyMs(1)),
        take(300),
      ),
    )
    clearInterval(interval)
    expect(longestMs).toBeLessThan(250)
  })
})

function busyMs(ms: number): void {
  for (const startMs = performance.now(); performance.now() - startMs < ms; );
}

function thrown(what: unknown): never {
  throw typeof what === 'string' ? new Error(what) : what
}
