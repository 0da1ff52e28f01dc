// What becomes of the records of a window. An aggregator takes something of each record, adds
// one after the other to what it has so far, and puts together two parts, where sessions merge.
// Pure. No operators: RxJS's `count` cannot be taken for ours.

import { MillraceError } from '../../errors.ts'

/** What `aggregate` takes: `Taken` of each record, a state `A`, and the result `R`. Made by `count`, `sum`, `min`, `max`, `reduce`. */
export interface Aggregator<Input, R, Taken = unknown, A = unknown> {
  /** In error messages. */
  readonly name: string
  /** What is kept of a record: called once a record. */
  readonly take: (record: Input) => Taken
  readonly seed: () => A
  readonly add: (state: A, taken: Taken) => A
  /** Two parts as one, the earlier first; sessions need it. */
  readonly merge: ((first: A, second: A) => A) | undefined
  readonly result: (state: A) => R
}

/** A value that `min` and `max` compare by `<`. */
export type Comparable = number | bigint | string

/** How many records a window has. */
export function count(): Aggregator<unknown, number> {
  return COUNT
}

const COUNT = erased<unknown, number, undefined, number>({
  name: 'count()',
  take: () => undefined,
  seed: () => 0,
  add: (so) => so + 1,
  merge: (first, second) => first + second,
  result: (state) => state,
})

/** The sum of what `fn` gives for each record. A result that is no number, or NaN, ends the chain with a TypeError. */
export function sum<Input>(fn: (record: Input) => number): Aggregator<Input, number> {
  checkFunction('sum', fn)
  return erased<Input, number, number, number>({
    name: 'sum()',
    take(record) {
      const given: unknown = fn(record)
      if (typeof given !== 'number' || Number.isNaN(given)) throw new TypeError(`the function of sum() gave ${nameOf(given)}, not a number`)
      return given
    },
    seed: () => 0,
    add: (so, given) => so + given,
    merge: (first, second) => first + second,
    result: (state) => state,
  })
}

/** The least of what `fn` gives for each record: numbers, bigints or strings. */
export function min<Input, R extends Comparable>(fn: (record: Input) => R): Aggregator<Input, R> {
  return extreme('min', fn, (a, b) => (b < a ? b : a))
}

/** The greatest of what `fn` gives for each record: numbers, bigints or strings. */
export function max<Input, R extends Comparable>(fn: (record: Input) => R): Aggregator<Input, R> {
  return extreme('max', fn, (a, b) => (b > a ? b : a))
}

/** What `reduce` may be told. */
export interface ReduceOptions<A> {
  /** Two parts of a session as one, the earlier first: sessions need it. */
  readonly merge?: (first: A, second: A) => A
}

/**
 * `fn` of the state so far and the next record, in the order in which they come, beginning with
 * `seed`: a value that `fn` does not change, or a function that makes a new one for each window.
 * Sliding windows keep the records themselves.
 */
export function reduce<Input, A>(
  seed: A | (() => A),
  fn: (state: A, record: Input) => A,
  options?: ReduceOptions<A>,
): Aggregator<Input, A> {
  checkFunction('reduce', fn)
  const merge = options?.merge
  if (merge !== undefined) checkFunction('merge of reduce', merge)
  return erased<Input, A, Input, A>({
    name: 'reduce()',
    take: (record) => record,
    seed: typeof seed === 'function' ? (seed as () => A) : () => seed,
    add: fn,
    merge,
    result: (state) => state,
  })
}

function extreme<Input, R extends Comparable>(name: string, fn: (record: Input) => R, choose: (a: R, b: R) => R): Aggregator<Input, R> {
  checkFunction(name, fn)
  const either = (a: R | undefined, b: R | undefined): R | undefined => (a === undefined ? b : b === undefined ? a : choose(a, b))
  return erased<Input, R, R, R | undefined>({
    name: `${name}()`,
    take(record) {
      const given: unknown = fn(record)
      const isComparable = typeof given === 'string' || typeof given === 'bigint' || (typeof given === 'number' && !Number.isNaN(given))
      if (!isComparable) throw new TypeError(`the function of ${name}() gave ${nameOf(given)}, not a number, bigint or string`)
      return given as R
    },
    seed: () => undefined,
    add: either,
    merge: either,
    // A window has a record.
    result: (state) => state!,
  })
}

/** Its own types stay inside: whoever uses it hands back only what it gave. */
function erased<Input, R, Taken, A>(aggregator: Aggregator<Input, R, Taken, A>): Aggregator<Input, R> {
  return Object.freeze(aggregator) as unknown as Aggregator<Input, R>
}

function checkFunction(what: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new MillraceError('INVALID_CONFIG', `${what}() takes a function; ${nameOf(fn)} was given`)
}

function nameOf(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : typeof value
}
