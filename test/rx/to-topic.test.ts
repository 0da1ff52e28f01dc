import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  EMPTY,
  Subject,
  bufferCount,
  concat,
  concatMap,
  count,
  debounceTime,
  delay,
  from,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs'
import type { Observable } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Producer, bytes, json, nullable, openMillrace, string } from '../../src/index.ts'
import type { EmbeddedMillrace, RecordMetadata, Topic } from '../../src/index.ts'
import { fromTopic, toTopic } from '../../src/rxjs.ts'
import type { MillraceRecord } from '../../src/rxjs.ts'

let millrace: EmbeddedMillrace

beforeAll(async () => {
  millrace = await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => millrace.close())

type Numbers = Topic<string | null, number>
let made = 0
const numbers = (name: string, partitions = 1): Promise<Numbers> =>
  millrace.topic(`${name}-${made++}`, { partitions, value: json<number>() })
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function filled(name: string, records: number): Promise<Numbers> {
  const topic = await numbers(name)
  await millrace.producer().sendAll(
    topic,
    upTo(records).map((value) => ({ key: `k${value}`, value, timestamp: 1_000 + value, headers: { n: `${value}` } })),
  )
  return topic
}

async function valuesOf(topic: Numbers): Promise<number[]> {
  const values: number[] = []
  for await (const { value } of millrace.consumer().records(topic, { until: 'end' })) values.push(value)
  return values
}

async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await nextTurn()
}

/** Holds up every acknowledgement until `open` is called. */
function gate(): { open: () => void; waiting: () => number; restore: () => void } {
  const send = Producer.prototype.send
  let waiting = 0
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const spy = vi.spyOn(Producer.prototype, 'send').mockImplementation(async function (this: Producer, ...args) {
    waiting++
    await opened
    return await send.apply(this, args)
  })
  return { open: () => open(), waiting: () => waiting, restore: () => spy.mockRestore() }
}

describe('toTopic', () => {
  test('sends what comes by and emits where it stands, after its acknowledgement', async () => {
    const topic = await numbers('sink', 3)
    const metadata = await lastValueFrom(
      from(upTo(300)).pipe(
        map((n) => ({ key: `k${n % 10}`, value: n })),
        toTopic(topic),
        toArray(),
      ),
    )
    expect(metadata).toHaveLength(300)
    for (const { topic: name, offset, partition, timestamp } of metadata) {
      expect(name).toBe(topic.name)
      expect(offset).toBeGreaterThanOrEqual(0)
      expect(partition).toBeLessThan(3)
      expect(timestamp).toBeLessThanOrEqual(Date.now())
    }
    expect((await valuesOf(topic)).sort((a, b) => a - b)).toEqual(upTo(300))
  })

  test('from topic to topic: key, value, headers and timestamp carry over', async () => {
    const source = await filled('source', 100)
    const target = await numbers('target')
    await lastValueFrom(fromTopic(source, { until: 'end' }).pipe(toTopic(target)))
    let n = 0
    for await (const record of millrace.consumer().records(target, { until: 'end' })) {
      expect(record).toMatchObject({ key: `k${n}`, value: n, timestamp: 1_000 + n })
      expect([...record.headers].map(({ key }) => key)).toEqual(['n'])
      expect(record.headers.get('n')).toBe(`${n++}`)
    }
    expect(n).toBe(100)
  })

  test('a null key, a tombstone and plain records', async () => {
    const topic = await millrace.topic('tombstones', { key: nullable(string()), value: nullable(json<number>()) })
    await lastValueFrom(
      of({ value: null }, { key: null, value: 1 }, { key: 'k', value: null, headers: { a: 'b' }, timestamp: 5 }).pipe(toTopic(topic)),
    )
    const records = await lastValueFrom(
      fromTopic(topic, { until: 'end' }).pipe(
        map(({ key, value, headers, timestamp }) => [key, value, headers.get('a'), timestamp === 5]),
        toArray(),
      ),
    )
    expect(records).toEqual([
      [null, null, undefined, false],
      [null, 1, undefined, false],
      ['k', null, 'b', true],
    ])
  })

  test('completes when the source has and all is acknowledged, and not before', async () => {
    const topic = await numbers('completes')
    const held = gate()
    let emitted = 0
    let completed = false
    from(upTo(10))
      .pipe(
        map((value) => ({ value })),
        toTopic(topic),
      )
      .subscribe({ next: () => emitted++, complete: () => (completed = true) })
    await settle()
    expect([held.waiting(), emitted, completed]).toEqual([10, 0, false])
    held.open()
    held.restore()
    await vi.waitFor(() => expect(completed).toBe(true))
    expect(emitted).toBe(10)
    await lastValueFrom(EMPTY.pipe(toTopic(topic), count()))
  })

  test('holds each record until then: the source stops at maxInFlight', async () => {
    const source = await filled('holds', 100)
    const target = await numbers('holds-target')
    const held = gate()
    const done = lastValueFrom(fromTopic(source, { until: 'end', maxInFlight: 7 }).pipe(toTopic(target), count()))
    await settle()
    expect(held.waiting()).toBe(7)
    held.restore()
    held.open()
    expect(await done).toBe(100)
    expect(await valuesOf(target)).toEqual(upTo(100))
  })

  test('one after the other: a record is held by the second while the first has let go', async () => {
    const source = await filled('chain', 50)
    const [first, second] = [await numbers('chain-first'), await numbers('chain-second')]
    const metadata = await lastValueFrom(
      fromTopic(source, { until: 'end', maxInFlight: 3 }).pipe(
        toTopic(first),
        map(({ offset }) => ({ value: offset })),
        toTopic(second),
        toArray(),
      ),
    )
    expect(metadata.map(({ offset }) => offset)).toEqual(upTo(50))
    expect(await valuesOf(second)).toEqual(upTo(50))
  })

  test('behind operators that are synchronous, merged sources, and one record that becomes several', async () => {
    const [a, b] = [await filled('merge-a', 20), await filled('merge-b', 20)]
    const target = await numbers('merged')
    const chain = merge(fromTopic(a, { until: 'end' }), fromTopic(b, { until: 'end' })).pipe(
      concatMap((record) => of(record, record)),
      mergeMap((record) => of({ value: record.value }).pipe(toTopic(target))),
    )
    expect(await lastValueFrom(chain.pipe(count()))).toBe(80)
    expect((await valuesOf(target)).sort((x, y) => x - y)).toEqual(upTo(80).map((n) => Math.floor(n / 4)))
  })

  test('several sinks of one millrace share a producer', async () => {
    const created = vi.spyOn(millrace, 'producer')
    const [a, b] = [await numbers('shared-a'), await numbers('shared-b')]
    await lastValueFrom(merge(of({ value: 1 }).pipe(toTopic(a)), of({ value: 2 }).pipe(toTopic(b)), of({ value: 3 }).pipe(toTopic(a))))
    expect(created.mock.calls.length).toBeLessThanOrEqual(1)
    created.mockRestore()
  })
})

describe('SETTLED_EARLY', () => {
  const early = {
    code: 'SETTLED_EARLY',
    retriable: false,
    message: expect.stringMatching(/kept it beyond its call.*record\.hold\(\).*lossless: false/) as string,
  }

  test.each<[string, (source: Observable<MillraceRecord<string | null, number>>) => Observable<{ value: number }>]>([
    ['delay', (source) => source.pipe(delay(1))],
    ['mergeMap', (source) => source.pipe(mergeMap(async (record) => ({ value: record.value })))],
    ['concatMap', (source) => source.pipe(concatMap(async (record) => record))],
    ['debounceTime', (source) => source.pipe(debounceTime(1))],
    ['a subject', (source) => relay(source)],
    ['merge with a source that is not delayed', (source) => merge(source, source.pipe(delay(1)))],
  ])('%s before it', async (_, between) => {
    const source = await filled('early', 10)
    const target = await numbers('early-target')
    await expect(lastValueFrom(between(fromTopic(source, { until: 'end' })).pipe(toTopic(target)))).rejects.toMatchObject(early)
  })

  test('a record that its user holds may come late', async () => {
    const source = await filled('held-late', 30)
    const target = await numbers('held-late-target')
    let inside = 0
    let most = 0
    const work = (record: MillraceRecord<string | null, number>): Observable<MillraceRecord<string | null, number>> => {
      const hold = record.hold()
      most = Math.max(most, ++inside)
      return of(record).pipe(
        delay(1),
        tap({
          complete: () => {
            inside--
            // The sink has taken its own hold by now.
            hold.release()
          },
        }),
      )
    }
    const chain = fromTopic(source, { until: 'end', maxInFlight: 4 }).pipe(mergeMap(work), toTopic(target), count())
    expect(await lastValueFrom(chain)).toBe(30)
    expect(most).toBeLessThanOrEqual(4)
    expect((await valuesOf(target)).sort((a, b) => a - b)).toEqual(upTo(30))
  })

  test('not without a source of millrace upstream', async () => {
    const target = await numbers('plain')
    const plain = from(upTo(10)).pipe(
      map((value) => ({ value })),
      delay(1),
    )
    expect(await lastValueFrom(plain.pipe(toTopic(target), count()))).toBe(10)
    expect(
      await lastValueFrom(
        plain.pipe(
          mergeMap(async (record) => record),
          toTopic(target),
          count(),
        ),
      ),
    ).toBe(10)
  })

  test('not with lossless: false', async () => {
    const source = await filled('lossy', 10)
    const target = await numbers('lossy-target')
    expect(await lastValueFrom(fromTopic(source, { until: 'end', lossless: false }).pipe(delay(1), toTopic(target), count()))).toBe(10)
    expect(await lastValueFrom(fromTopic(source, { until: 'end', lossless: false }).pipe(toTopic(target), count()))).toBe(10)
    // Beside a source that tracks, in the call that brings it.
    const both = concat(fromTopic(source, { until: 'end' }), fromTopic(source, { until: 'end', lossless: false }))
    expect(await lastValueFrom(both.pipe(toTopic(target), count()))).toBe(20)
  })
})

describe('how it ends', () => {
  test('a send that fails ends the stream with its error; what was held is not settled, and the source is left', async () => {
    const source = await filled('failing', 100)
    const small = await millrace.topic(`failing-target-${made++}`, { value: bytes(), config: { 'max.message.bytes': 1_000 } })
    let emitted = 0
    const chain = fromTopic(source, { until: 'end', maxInFlight: 50 }).pipe(
      map(({ value }) => ({ value: new Uint8Array(value === 20 ? 5_000 : 5) })),
      toTopic(small),
      tap(() => emitted++),
    )
    await expect(lastValueFrom(chain)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(emitted).toBeLessThanOrEqual(20)
  })

  test('a record that cannot be decoded, encoded or is none', async () => {
    const raw = await millrace.topic(`undecodable-${made++}`, { value: string() })
    await millrace.producer().send(raw, { value: '{' })
    const broken = await millrace.topic(raw.name, { value: json<number>() })
    const target = await numbers('never')
    await expect(lastValueFrom(fromTopic(broken, { until: 'end' }).pipe(toTopic(target)))).rejects.toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining(`${raw.name}-0 at offset 0`) as string,
    })
    await expect(lastValueFrom(of({ value: 1n as never }).pipe(toTopic(target)))).rejects.toMatchObject({ code: 'SERIALIZATION' })
    await expect(lastValueFrom(of<{ value: number }>({ key: 'k' } as never).pipe(toTopic(target)))).rejects.toThrow(
      /value for topic .* is missing/,
    )
    for (const wrong of ['text', undefined, null]) {
      await expect(lastValueFrom(of<{ value: number }>(wrong as never).pipe(toTopic(target)))).rejects.toThrow(/toTopic takes records/)
    }
    expect(await valuesOf(target)).toEqual([])
  })

  test('a synchronous source is not sent any further after an error', async () => {
    const target = await numbers('synchronous')
    const send = vi.spyOn(Producer.prototype, 'send')
    await expect(lastValueFrom(of({ value: 1 }, 'wrong' as never, { value: 2 }, { value: 3 }).pipe(toTopic(target)))).rejects.toThrow(
      /takes records/,
    )
    expect(send).toHaveBeenCalledTimes(1)
    send.mockRestore()
  })

  test('an error upstream passes through', async () => {
    const target = await numbers('upstream')
    await expect(lastValueFrom(throwError(() => new Error('upstream')).pipe(toTopic(target)))).rejects.toThrow('upstream')
    const after = concat(
      of({ value: 1 }),
      throwError(() => new Error('later')),
    )
    await expect(lastValueFrom(after.pipe(toTopic(target)))).rejects.toThrow('later')
  })

  test('unsubscribing leaves the source, and settles nothing', async () => {
    const source = await filled('unsubscribed', 100)
    const target = await numbers('unsubscribed-target')
    const held = gate()
    let emitted: RecordMetadata[] = []
    const subscription = fromTopic(source, { maxInFlight: 5 })
      .pipe(toTopic(target))
      .subscribe((metadata) => emitted.push(metadata))
    await settle()
    expect(held.waiting()).toBe(5)
    subscription.unsubscribe()
    held.restore()
    held.open()
    await settle()
    expect(emitted).toEqual([])
    emitted = []
    expect(await lastValueFrom(fromTopic(source).pipe(take(10), toTopic(target), bufferCount(10)))).toHaveLength(10)
  })

  test('after millrace is closed', async () => {
    const other = await openMillrace({ logMemoryBytes: 16 * 1024 * 1024 })
    const topic = await other.topic('closed', { value: json<number>() })
    await lastValueFrom(of({ value: 1 }).pipe(toTopic(topic)))
    const running = new Subject<{ value: number }>()
    const ended = lastValueFrom(running.pipe(toTopic(topic)))
    await other.close()
    running.next({ value: 2 })
    await expect(ended).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(lastValueFrom(of({ value: 3 }).pipe(toTopic(topic)))).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => toTopic(topic.definition as never)).toThrow(/is only defined: bind it first/)
  })
})

/** Through a subject, so that the subscription says nothing of the source, and a turn later. */
function relay<T>(source: Observable<T>): Observable<T> {
  const subject = new Subject<T>()
  queueMicrotask(() => source.subscribe(subject))
  return subject.pipe(delay(1))
}
