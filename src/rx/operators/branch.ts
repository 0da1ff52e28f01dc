// Each record into the first chain that wants it (Kafka Streams: split and branch).

import { Observable, Subject } from 'rxjs'
import type { OperatorFunction, Subscriber } from 'rxjs'
import { MillraceError } from '../../errors.ts'
import { newChain, noteChain, subscribeUpstream } from '../chain.ts'

/** A chain, and what it takes; without a predicate it takes all that comes to it. */
export type BranchCase<T, R> = readonly [wants: (value: T) => boolean, chain: OperatorFunction<T, R>] | OperatorFunction<T, R>

/**
 * Gives each record to the first chain that wants it, and emits what all of them emit (Kafka Streams: split and
 * branch). What none wants is settled. Holds are what they are in one chain: a record is settled when the chain that
 * took it is done with it. An error of any chain ends the Observable; it completes when all chains have. Throws INVALID_REQUEST without
 * a chain.
 *
 * ```ts
 * fromTopic(lines, { groupId: 'split' }).pipe(
 *   branch(
 *     [({ value }) => value.status >= 500, toTopic(failures)],
 *     (others) => others.pipe(mapValue(({ path }) => path), toTopic(visits)),
 *   ),
 * )
 * ```
 */
export function branch<T, R1>(case1: BranchCase<T, R1>): OperatorFunction<T, R1>
export function branch<T, R1, R2>(case1: BranchCase<T, R1>, case2: BranchCase<T, R2>): OperatorFunction<T, R1 | R2>
export function branch<T, R1, R2, R3>(
  case1: BranchCase<T, R1>,
  case2: BranchCase<T, R2>,
  case3: BranchCase<T, R3>,
): OperatorFunction<T, R1 | R2 | R3>
export function branch<T, R1, R2, R3, R4>(
  case1: BranchCase<T, R1>,
  case2: BranchCase<T, R2>,
  case3: BranchCase<T, R3>,
  case4: BranchCase<T, R4>,
): OperatorFunction<T, R1 | R2 | R3 | R4>
export function branch<T, R>(...cases: readonly BranchCase<T, R>[]): OperatorFunction<T, R>
export function branch<T, R>(...cases: readonly BranchCase<T, R>[]): OperatorFunction<T, R> {
  if (cases.length === 0)
    throw new MillraceError('INVALID_REQUEST', 'branch takes at least one chain: [predicate, operator], or an operator')
  return (source) => new Observable<R>((subscriber) => new Branching(subscriber, cases).run(source))
}

class Branching<T, R> {
  readonly #subscriber: Subscriber<R>
  readonly #chain = newChain()
  readonly #arms: { readonly wants: (value: T) => boolean; readonly chain: OperatorFunction<T, R>; input: Subject<T> }[]
  #open: number
  #isStarted = false

  constructor(subscriber: Subscriber<R>, cases: readonly BranchCase<T, R>[]) {
    this.#subscriber = subscriber
    this.#open = cases.length
    this.#arms = cases.map((each) => {
      const [wants, chain] = typeof each === 'function' ? [(): boolean => true, each] : each
      return { wants, chain, input: new Subject<T>() }
    })
  }

  run(source: Observable<T>): () => void {
    const observer = {
      next: (value: T): void => this.#next(value),
      error: (error: unknown): void => this.#subscriber.error(error),
      complete: (): void => {
        this.#start()
        for (const { input } of this.#arms) input.complete()
      },
    }
    // What is below hears of it by the chains.
    const subscription = subscribeUpstream(this.#chain, () => source.subscribe(observer), { isHidden: true })
    this.#start()
    return () => subscription.unsubscribe()
  }

  /** Behind what is above, so that the chains learn of it; or with the first value of a synchronous source. */
  #start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    for (const { chain, input } of this.#arms) {
      // A chain may subscribe to it several times: side by side, or again after an error.
      const fed = new Observable<T>((inner) => {
        noteChain(this.#chain)
        return input.subscribe(inner)
      })
      const subscription = chain(fed).subscribe({
        next: (result) => this.#subscriber.next(result),
        error: (error: unknown) => this.#subscriber.error(error),
        complete: () => this.#completed(),
      })
      this.#subscriber.add(subscription)
    }
  }

  #next(value: T): void {
    if (this.#subscriber.closed) return
    this.#start()
    try {
      this.#arms.find(({ wants }) => wants(value))?.input.next(value)
    } catch (error) {
      this.#subscriber.error(error)
    }
  }

  #completed(): void {
    if (--this.#open === 0) this.#subscriber.complete()
  }
}
