// A source of records of one partition without a log: emits them under the hold contract, and says
// what could be committed. What tests of restarts share.

import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { INSPECT } from '../../../src/client/consumer/consumer-record.ts'
import { RecordHeaders } from '../../../src/index.ts'
import { noteSource } from '../../../src/rx/chain.ts'
import type { ChainSource } from '../../../src/rx/chain.ts'
import { Origin, emitWith } from '../../../src/rx/hold.ts'
import { MillraceRecord } from '../../../src/rx/millrace-record.ts'
import { SettlingPartition } from '../../../src/rx/settling-partition.ts'

export interface Commit {
  readonly position: number
  readonly metadata: string
}

export interface SimulatedRecord {
  readonly key: string | null
  readonly timestamp: number
  readonly value: number | null
}

export interface SimulatedOptions {
  readonly partition?: number
  readonly isInGroup?: boolean
}

export class SimulatedSource {
  readonly partition: SettlingPartition
  readonly room = { records: 0, bytes: 0, onFree: () => {} }
  readonly records: Observable<MillraceRecord<string, number>>
  isCaughtUp = false
  #subscriber: Subscriber<MillraceRecord<string, number>> | undefined
  readonly #caughtUp = new Set<() => void>()

  constructor({ position, metadata }: Commit = { position: 0, metadata: '' }, { partition = 0, isInGroup = true }: SimulatedOptions = {}) {
    // Only what it asks of the reader that it stands in for.
    const options = {
      topic: 'clicks',
      partition,
      committedMetadata: metadata,
      fetcher: { topic: { name: 'clicks' }, partition, source: undefined },
      isLossy: false,
      room: this.room,
      onSettled: () => {},
      onCommittable: () => {},
      isRead: () => this.isCaughtUp,
    }
    this.partition = new SettlingPartition(options as never)
    Object.defineProperty(this.partition, 'committedMetadata', { value: metadata })
    this.partition.begin(position)
    this.partition.end(position)
    this.records = new Observable((subscriber) => {
      noteSource(this.#source(isInGroup ? 'simulated' : undefined))
      this.#subscriber = subscriber
    })
  }

  emit(offset: number, { key, timestamp, value }: SimulatedRecord): void {
    const fields = { topic: 'clicks', partition: this.partition.partition, offset, timestamp, key, value, headers: new RecordHeaders([]) }
    const origin = new Origin(this.partition, offset, { bytes: 1, held: 0 })
    const record = new MillraceRecord({ ...fields, toJSON: () => fields, [INSPECT]: () => fields } as never, origin)
    const subscriber = this.#subscriber!
    emitWith(origin, () => subscriber.next(record as never))
    if (!subscriber.closed) origin.passed()
  }

  /** All that was there has been emitted. */
  tellCaughtUp(): void {
    this.isCaughtUp = true
    for (const listener of this.#caughtUp) listener()
  }

  complete(): void {
    this.#subscriber!.complete()
  }

  /** What could be committed now. */
  commit(): Commit {
    this.partition.settled()!()
    const position = this.partition.position!
    return { position, metadata: this.partition.metadata?.(position) ?? '' }
  }

  #source(groupId: string | undefined): ChainSource {
    return {
      owner: undefined as never,
      topics: [],
      groupId,
      options: { lossless: true } as never,
      partitions: () => [this.partition],
      onCaughtUp: (listener) => {
        this.#caughtUp.add(listener)
        return () => this.#caughtUp.delete(listener)
      },
      abandon: () => {},
    }
  }
}
