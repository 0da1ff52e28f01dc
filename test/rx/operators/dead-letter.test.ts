import { delay, map, merge, pipe, take } from 'rxjs'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { string } from '../../../src/index.ts'
import { newChain, subscribeUpstream } from '../../../src/rx/chain.ts'
import { batchRecords } from '../../../src/rx/operators/batch-records.ts'
import { deadLetter } from '../../../src/rx/operators/dead-letter.ts'
import { keyBy } from '../../../src/rx/operators/key-by.ts'
import { mapValue } from '../../../src/rx/operators/map-value.ts'
import { process } from '../../../src/rx/operators/process.ts'
import { HeldSource } from './held-source.ts'

const parse = mapValue<string | null, string, number>((text) => {
  const number = Number(text)
  if (Number.isNaN(number)) throw new TypeError(`"${text}" is no number`)
  return number
})

async function settled(source: HeldSource<string>, position: number): Promise<void> {
  for (let i = 0; i < 50 && source.position() !== position; i++) await Promise.resolve()
  expect(source.position()).toBe(position)
}

test('what the chain cannot take goes to the topic, and the rest goes on', async () => {
  const source = new HeldSource<string>()
  const seen: number[] = []
  source.records.pipe(deadLetter('clicks-dlt', parse)).subscribe(({ value }) => seen.push(value))
  for (const text of ['1', 'x', '2', 'y']) source.emit(text)
  expect(seen).toEqual([1, 2])
  await settled(source, 4)
  expect(source.letters.written).toMatchObject([
    {
      topic: 'clicks-dlt',
      headers: { 'millrace.dlt.offset': '1', 'millrace.dlt.group': 'held', 'millrace.dlt.error.message': '"x" is no number' },
    },
    { topic: 'clicks-dlt', headers: { 'millrace.dlt.offset': '3', 'millrace.dlt.error.name': 'TypeError' } },
  ])
})

test('a record is held until its dead letter is acknowledged', async () => {
  const source = new HeldSource<string>()
  const gate = Promise.withResolvers<void>()
  source.letters.gate = gate.promise
  let isComplete = false
  source.records.pipe(deadLetter('dlt', parse)).subscribe({ complete: () => (isComplete = true) })
  source.emit('x')
  source.emit('1')
  source.complete()
  expect([source.position(), source.room.records, isComplete]).toEqual([0, 1, false])
  gate.resolve()
  await settled(source, 2)
  expect(isComplete).toBe(true)
})

test('a dead letter that cannot be written ends the Observable, unsettled', async () => {
  const source = new HeldSource<string>()
  source.letters.gate = Promise.reject(new Error('no room'))
  const failed = new Promise((resolve) => source.records.pipe(deadLetter('dlt', parse)).subscribe({ error: resolve }))
  source.emit('x')
  expect(await failed).toMatchObject({ code: 'PROCESSING_FAILED', message: expect.stringContaining('no room') })
  expect(source.position()).toBe(0)
})

test('operators of the chain hold its records; what they keep is handed on at the end', () => {
  const clock = new VirtualClock()
  const source = new HeldSource<string>()
  const batches: number[] = []
  source.records
    .pipe(deadLetter('dlt', pipe(parse, batchRecords({ maxRecords: 10, clock }))))
    .subscribe((batch) => batches.push(batch.length))
  source.emit('1')
  source.emit('2')
  expect(source.position()).toBe(0)
  source.complete()
  expect(batches).toEqual([2])
  expect(source.position()).toBe(2)
})

test('an error behind the call belongs to no record, and ends it', async () => {
  const source = new HeldSource<string>()
  const late = pipe(
    delay<{ value: string }>(1),
    map(() => {
      throw new RangeError('late')
    }),
  )
  const failed = new Promise((resolve) => source.records.pipe(deadLetter('dlt', late as never)).subscribe({ error: resolve }))
  source.emit('1')
  expect(await failed).toEqual(new RangeError('late'))
})

test('a chain that has had enough ends it', () => {
  const source = new HeldSource<string>()
  const seen: number[] = []
  let isComplete = false
  source.records
    .pipe(deadLetter('dlt', pipe(parse, take(1))))
    .subscribe({ next: ({ value }) => seen.push(value), complete: () => (isComplete = true) })
  source.emit('1')
  source.emit('2')
  expect([seen, isComplete, source.isSubscribed]).toEqual([[1], true, false])
})

test('the chain may take its records in two; what is below knows its key, not that above', () => {
  const source = new HeldSource<string>()
  const seen: string[] = []
  const chain = newChain()
  const [above, within] = [string(), string()]
  const guarded = source.records.pipe(
    keyBy(() => 'above', { key: above }),
    deadLetter('bad', (records) => merge(records.pipe(keyBy(() => 'a', { key: within })), records.pipe(keyBy(() => 'b', { key: within })))),
  )
  subscribeUpstream(chain, () => guarded.subscribe(({ key, value }) => seen.push(key + value)))
  source.emit('1')
  expect([seen, source.position()]).toEqual([['a1', 'b1'], 1])
  expect([chain.rekeyed?.key, chain.tracked, chain.sources.length]).toEqual([within, true, 1])
})

test('process: what is given up goes to the topic, and the next of its key goes on', async () => {
  const source = new HeldSource<string>()
  const seen: string[] = []
  const dead: unknown[] = []
  const handler = ({ value }: { value: string }): string => {
    if (value === 'x') throw new RangeError('poison')
    return value
  }
  const options = {
    deadLetterTopic: 'dlt',
    retry: { attempts: 1 },
    onDeadLetter: ({ attempts }: { attempts: number }) => dead.push(attempts),
  }
  source.records.pipe(process(handler, options)).subscribe((value) => seen.push(value))
  source.emit('x', { key: 'a' })
  source.emit('1', { key: 'a' })
  await settled(source, 2)
  expect([seen, dead]).toEqual([['1'], [1]])
  expect(source.letters.written).toMatchObject([{ topic: 'dlt', headers: { 'millrace.dlt.attempts': '1' } }])
})
