// What operators are told of the chain above them, and holds over several records.

import { Observable, filter, map, of } from 'rxjs'
import type { OperatorFunction } from 'rxjs'
import { expect, test } from 'vitest'
import { string } from '../../src/index.ts'
import { newChain, noteRekeyed, noteSource, noteUnordered, subscribeUpstream } from '../../src/rx/chain.ts'
import type { Chain, ChainSource } from '../../src/rx/chain.ts'
import { Hold, Origin, UNTRACKED, currentOrigins, emitWith, holdAll, holdCurrent, isOutsideHold, pinAll } from '../../src/rx/hold.ts'
import type { BatchShare, OriginKeeper } from '../../src/rx/source-partition.ts'

const source = (lossless: boolean): ChainSource => ({ groupId: 'g', options: { lossless } }) as unknown as ChainSource

/** Learns of what is above it, says something of itself, and passes everything on. */
function operator<T>(chain: Chain, says: () => void = () => undefined, isHidden = false): OperatorFunction<T, T> {
  return (upstream) =>
    new Observable<T>((subscriber) => {
      says()
      return subscribeUpstream(chain, () => upstream.subscribe(subscriber), { isHidden })
    })
}

function from(...sources: ChainSource[]): Observable<number> {
  return new Observable<number>((subscriber) => {
    for (const each of sources) noteSource(each)
    return of(1).subscribe(subscriber)
  })
}

test('each operator learns of all above it, the nearest new key first', () => {
  const [upper, lower, below] = [newChain(), newChain(), newChain()]
  const [first, second] = [
    { key: string(), value: undefined },
    { key: undefined, value: string() },
  ]
  from(source(true), source(false))
    .pipe(
      operator(newChain(), () => noteRekeyed(first)),
      operator(upper),
      map((n) => n),
      operator(newChain(), () => noteRekeyed(second)),
      operator(newChain(), () => noteUnordered()),
      filter(() => true),
      operator(lower),
    )
    .subscribe()
  expect(upper).toMatchObject({ tracked: true, rekeyed: first, unordered: false, sources: { length: 2 } })
  expect(lower).toMatchObject({ tracked: true, rekeyed: second, unordered: true, sources: { length: 2 } })
  from(source(false)).pipe(operator(below)).subscribe()
  expect(below).toMatchObject({ tracked: false, sources: { length: 1 } })
})

test('what an operator hides is not above those below it', () => {
  const [hidden, below] = [newChain(), newChain()]
  from(source(true))
    .pipe(
      operator(hidden, () => undefined, true),
      operator(below),
    )
    .subscribe()
  expect(hidden.tracked).toBe(true)
  expect(below).toEqual(newChain())
})

function keeper(log: string[], isLossy = false): OriginKeeper {
  return {
    isLossy,
    passed: (offset: number) => void log.push(`passed ${offset}`),
    keep: (offset: number) => void log.push(`keep ${offset}`),
    settle: (offset: number) => void log.push(`settle ${offset}`),
    takeRoom: () => void log.push('take'),
    giveRoom: () => void log.push('give'),
  } as unknown as OriginKeeper
}

const share: BatchShare = { bytes: 10, held: 0 }

test('held, in flight, pinned, settled: what a partition is told of a record', () => {
  const log: string[] = []
  const told = (): string[] => log.splice(0)
  const partition = keeper(log)
  new Origin(partition, 1, share).passed()
  expect(told()).toEqual(['passed 1'])
  const origin = new Origin(partition, 2, share)
  const hold = new Hold(origin)
  origin.passed()
  expect(told()).toEqual(['keep 2', 'take'])
  const pin = pinAll(origin)
  hold.release()
  hold.release()
  expect(told()).toEqual(['give'])
  const again = holdAll([origin])
  again.release()
  expect(told()).toEqual(['take', 'give'])
  pin.release()
  expect(told()).toEqual(['settle 2'])
  expect(() => holdAll(origin)).toThrow(expect.objectContaining({ code: 'SETTLED_EARLY' }))
})

test('several are held together, or none', () => {
  const log: string[] = []
  const [settled, open] = [new Origin(keeper(log), 1, share), new Origin(keeper(log), 2, share)]
  settled.passed()
  expect(() => holdAll([open, settled])).toThrow(expect.objectContaining({ code: 'SETTLED_EARLY' }))
  open.passed()
  expect(log).toEqual(['passed 1', 'passed 2'])
})

test('what is current: inside, within another, and after a throw', () => {
  const log: string[] = []
  const [a, b] = [new Origin(keeper(log), 1, share), new Origin(keeper(log), 2, share)]
  expect([isOutsideHold(), currentOrigins()]).toEqual([true, []])
  emitWith(a, () => {
    emitWith([a, b], () => expect(currentOrigins()).toEqual([a, b]))
    expect(currentOrigins()).toEqual([a])
    emitWith(UNTRACKED, () => expect([isOutsideHold(), currentOrigins()]).toEqual([false, []]))
  })
  expect(() =>
    emitWith(new Hold(a), () => {
      throw new Error('within')
    }),
  ).toThrow('within')
  expect(isOutsideHold()).toBe(true)
  const chain = newChain()
  emitWith(new Origin(keeper(log, true), 3, share), () => holdCurrent(chain).release())
  expect(chain.tracked).toBe(false)
  emitWith(a, () => holdCurrent(chain).release())
  expect(chain.tracked).toBe(true)
  expect(() => holdCurrent(chain)).toThrow(expect.objectContaining({ code: 'SETTLED_EARLY' }))
})

test("what was held where nothing is tracked is nobody's where something else is", () => {
  const tracked = newChain()
  subscribeUpstream(tracked, () => from(source(true)).subscribe())
  expect(() => holdCurrent(tracked)).toThrow(expect.objectContaining({ code: 'SETTLED_EARLY' }))
  const hold = holdCurrent(newChain())
  emitWith(hold, () => expect(holdCurrent(tracked).origins).toEqual([]))
})
