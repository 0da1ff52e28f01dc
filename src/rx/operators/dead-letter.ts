// Records that a chain cannot take, in a topic of their own.

import { Observable, Subject } from 'rxjs'
import type { OperatorFunction, Subscription } from 'rxjs'
import { checkTopicName } from '../../client/topic-definition.ts'
import { noteChain } from '../chain.ts'
import type { Hold } from '../hold.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import { ChainDeadLetters } from './chain-dead-letters.ts'
import { heldOperator } from './held-operator.ts'
import type { Intake, Outlet } from './held-operator.ts'
import { failedFor } from './process-operator-errors.ts'

/**
 * Runs `chain`, and where a record makes it fail within its call, writes that record to the topic of this name, as it was
 * read, with headers that say why (those of `consumer.process`), and goes on with the next (Kafka: errors.deadletterqueue.topic.name,
 * KIP-1034). The record is held until its dead letter is acknowledged. The chain is subscribed to anew behind each failure: what it
 * had accumulated is gone. An error that comes later than within a record's call belongs to no record, and ends the
 * Observable: work that takes time has `process` with a `deadLetterTopic`. Throws INVALID_TOPIC_EXCEPTION.
 *
 * ```ts
 * fromTopic(lines, { groupId: 'parse' }).pipe(deadLetter('lines-dlt', mapValue((line) => JSON.parse(line) as Visit)), toTopic(visits))
 * ```
 */
export function deadLetter<K, V, R>(
  topic: string,
  chain: OperatorFunction<MillraceRecord<K, V>, R>,
): OperatorFunction<MillraceRecord<K, V>, R> {
  checkTopicName(topic)
  return heldOperator<MillraceRecord<K, V>, R>((outlet) => new Guard(outlet, topic, chain), { isHidden: true })
}

class Guard<K, V, R> implements Intake<MillraceRecord<K, V>> {
  readonly #outlet: Outlet<R>
  readonly #chain: OperatorFunction<MillraceRecord<K, V>, R>
  readonly #letters: ChainDeadLetters
  #input = new Subject<MillraceRecord<K, V>>()
  #inner: Subscription | undefined
  #isOver = false
  #isIn = false
  #failure: { readonly error: unknown } | undefined

  constructor(outlet: Outlet<R>, topic: string, chain: OperatorFunction<MillraceRecord<K, V>, R>) {
    this.#outlet = outlet
    this.#chain = chain
    this.#letters = new ChainDeadLetters(outlet.chain, topic)
  }

  start(): void {
    const input = new Subject<MillraceRecord<K, V>>()
    // The chain may subscribe to it several times.
    const fed = new Observable<MillraceRecord<K, V>>((subscriber) => {
      noteChain(this.#outlet.chain)
      return input.subscribe(subscriber)
    })
    this.#input = input
    this.#failure = undefined
    this.#inner = this.#chain(fed).subscribe({
      next: (value) => this.#outlet.pass(value),
      error: (error: unknown) => this.#failed(error),
      complete: () => this.#completed(),
    })
  }

  next(record: MillraceRecord<K, V>, hold: Hold): void {
    this.#isIn = true
    try {
      this.#input.next(record)
    } finally {
      this.#isIn = false
    }
    const failure = this.#failure as { readonly error: unknown } | undefined
    if (failure === undefined) return this.#outlet.release(hold)
    this.start()
    this.#letters.write([record], failure.error, 1).then(
      () => this.#outlet.release(hold),
      (cause: unknown) => this.#outlet.fail(failedFor(record, failure.error, cause)),
    )
  }

  complete(): void {
    this.#isOver = true
    // Completes it, and what it has kept; then this one completes.
    this.#outlet.waitFor()
    this.#input.complete()
  }

  close(): void {
    this.#inner?.unsubscribe()
    this.#letters.close()
  }

  #failed(error: unknown): void {
    if (this.#isIn) this.#failure = { error }
    else this.#outlet.fail(error)
  }

  /** Behind its source, or before, as with `take`: then nothing comes out any more. */
  #completed(): void {
    if (this.#isOver) this.#outlet.waitedFor()
    else this.#outlet.complete()
  }
}
