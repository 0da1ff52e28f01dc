// Brings the records of a key together behind a change of key: through an internal topic where
// the chain is of a group, and otherwise not at all: an aggregate then takes all partitions as one.
// Runs on the subscriber's thread.

import { Observable } from 'rxjs'
import { MillraceError } from '../../errors.ts'
import { newChain, subscribeUpstream } from '../chain.ts'
import type { Chain, ChainSource } from '../chain.ts'
import { MillraceRecord, originOf } from '../millrace-record.ts'
import { Repartition } from './repartition-topic.ts'
import type { ExchangeOptions } from './repartition-topic.ts'

type AnyRecord = MillraceRecord<unknown, unknown>

/** Whether what comes from a source has gone through an internal topic. */
export function isExchange(source: ChainSource): boolean {
  return source instanceof Repartition
}

/** 'rekeyed': only where the key was changed, and only in the order of the records. */
export function exchange(source: Observable<AnyRecord>, options: ExchangeOptions, when: 'always' | 'rekeyed'): Observable<AnyRecord> {
  // Subscribed to again, it is the same one.
  const identity = {}
  return new Observable<AnyRecord>((subscriber) => {
    const chain = newChain()
    let repartition: Repartition | undefined
    const observer = {
      next(record: AnyRecord): void {
        if (subscriber.closed) return
        if (repartition !== undefined) repartition.take(record)
        else if (mustExchange(record)) subscriber.error(hiddenSource())
        else subscriber.next(record)
      },
      error: (error: unknown): void => subscriber.error(error),
      complete(): void {
        if (repartition === undefined) subscriber.complete()
        else repartition.sourceIsOver()
      },
    }
    // Of a source that was subscribed to elsewhere, nothing was heard: who would read the internal topic?
    const mustExchange = (record: AnyRecord): boolean =>
      chain.sources.length === 0 &&
      (when === 'always' || chain.rekeyed !== undefined) &&
      record instanceof MillraceRecord &&
      originOf(record)?.partition.isCommitted === true
    const subscription = subscribeUpstream(chain, () => source.subscribe(observer), { isHidden: true })
    const group = chain.sources.find(({ groupId }) => groupId !== undefined)
    if (group === undefined || (when === 'rekeyed' && chain.rekeyed === undefined)) {
      // What is above is what is below, after all.
      subscribeUpstream(chain, () => undefined)
      return subscription
    }
    try {
      repartition = new Repartition({ subscriber, chain, group, options, identity, isOrdered: when === 'rekeyed' })
    } catch (error) {
      subscription.unsubscribe()
      throw error
    }
    publish(repartition)
    void repartition.run()
    return () => {
      subscription.unsubscribe()
      repartition?.stop()
    }
  })
}

/** Operators further down learn of the internal topic alone. */
function publish(source: ChainSource): void {
  const below: Chain = newChain()
  below.tracked = true
  below.sources.push(source)
  subscribeUpstream(below, () => undefined)
}

function hiddenSource(): MillraceError {
  const message =
    'records of a group come from a fromTopic(…) that was subscribed to elsewhere (behind share(), connect(), or inside mergeMap), so they cannot ' +
    'be brought together by their new key: put share() behind the aggregate, or subscribe to fromTopic(…) here'
  return new MillraceError('INVALID_REQUEST', message)
}
