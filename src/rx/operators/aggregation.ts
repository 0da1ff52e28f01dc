// The windows of one subscription of `aggregate`: which partition a record belongs to, what it
// brings about there, and how that is handed on. Runs on the subscriber's thread.
// Holds: a record that opens a window is pinned until that window's result is done with; results
// are emitted under an origin of their own; nothing of a partition that went to another member is
// emitted.

import type { Subscriber } from 'rxjs'
import type { Serde } from '../../client/serde.ts'
import { MillraceError } from '../../errors.ts'
import type { Chain } from '../chain.ts'
import { currentOrigins, emitWith, isOutsideHold, pinAll, pinCurrent } from '../hold.ts'
import type { Origin } from '../hold.ts'
import { originOf } from '../millrace-record.ts'
import type { MillraceRecord } from '../millrace-record.ts'
import type { SourcePartition } from '../source-partition.ts'
import { METADATA_MAX_BYTES, NO_MARKS, decodeMarks } from '../windows/commit-marks.ts'
import { keyIds } from '../windows/key-id.ts'
import type { KeyId } from '../windows/key-id.ts'
import type { OpenWindow } from '../windows/open-windows.ts'
import type { AnyAggregator } from '../windows/window-store.ts'
import { WindowedPartition } from '../windows/windowed-partition.ts'
import type { ClosedWindows } from '../windows/windowed-partition.ts'
import type { Windowed } from '../windows/windowed.ts'
import type { Windows } from '../windows/windows.ts'
import type { FilledAggregateOptions } from './aggregate-config.ts'
import { LocalWatermark } from './local-watermark.ts'
import { originInHeaders } from './origin-header.ts'
import { ResultOrigin, ResultPartition } from './result-origin.ts'
import { windowResult } from './window-result.ts'

type AnyRecord = MillraceRecord<unknown, unknown>

export interface AggregationOptions {
  readonly windows: Windows
  readonly aggregator: AnyAggregator
  readonly options: FilledAggregateOptions
  readonly subscriber: Subscriber<MillraceRecord<Windowed<never>, never>>
  readonly chain: Chain
  /** All partitions as one: the key was changed, and no internal topic brings its records together. */
  readonly isLocal: boolean
  /** Records come through an internal topic, and say where from. */
  readonly isRepartitioned: boolean
}

/** The windows of one partition, or of all together. */
interface State {
  readonly windowed: WindowedPartition<unknown>
  readonly topic: string
  readonly partition: number
  /** Undefined where nothing is tracked. */
  readonly results: ResultPartition | undefined
  /** Of the last record. */
  offset: number
}

export class Aggregation {
  readonly #parts: AggregationOptions
  readonly #idOf: (key: unknown) => KeyId
  /** By partition; by name and number where nothing is tracked; by '' where all are one. */
  readonly #states = new Map<SourcePartition | string, State>()
  readonly #watermark: LocalWatermark | undefined
  readonly #isInGroup: boolean
  /** Of records of no partition, and of all partitions as one. */
  #sequence = 0
  #hasWarned = false

  constructor(parts: AggregationOptions) {
    this.#parts = parts
    const { chain } = parts
    this.#idOf = keyIds(keySerdeOf(chain))
    this.#isInGroup = chain.sources.some(({ groupId }) => groupId !== undefined)
    if (parts.isLocal) this.#watermark = new LocalWatermark(() => partitionsOf(chain))
  }

  /** Throws what the user's functions throw, SETTLED_EARLY, INVALID_REQUEST and INVALID_TIMESTAMP. */
  take(record: AnyRecord): void {
    const origin = this.#originOf(record)
    const { key, value } = record
    if (key === null || key === undefined || value === null || value === undefined) return this.#skip(record)
    const timeMs = this.#timeOf(record)
    const state = this.#stateOf(record, origin)
    const { windowed } = state
    state.offset = this.#watermark !== undefined || origin === undefined ? this.#sequence++ : origin.offset
    windowed.begin(state.offset)
    if (this.#parts.isRepartitioned) {
      const first = originInHeaders(record.headers)
      if (first !== undefined && !windowed.takeOrigin(first)) return
    }
    const streamTimeMs = this.#watermark === undefined || origin === undefined ? timeMs : this.#watermark.take(origin.partition, timeMs)
    windowed.advanceTo(streamTimeMs)
    const input = { key, keyId: this.#idOf(key), timeMs, taken: this.#parts.aggregator.take(record as never) }
    const isTaken = windowed.add(input, () => (origin === undefined ? undefined : pinAll(origin)))
    if (!isTaken) this.#late(record)
    this.#handOn(state, windowed.close(), origin)
  }

  /** Stream time may have moved without a record: all partitions are read up to their ends. */
  caughtUp(): void {
    const state = this.#states.get('')
    if (this.#watermark === undefined || state === undefined) return
    state.windowed.begin((state.offset = this.#sequence++))
    state.windowed.advanceTo(this.#watermark.look())
    this.#handOn(state, state.windowed.close(), undefined)
  }

  /** The source has completed: open windows are results too. */
  flush(): void {
    for (const state of this.#states.values()) {
      if (state.results?.isGone === true) continue
      state.offset = state.windowed.position
      this.#handOn(state, state.windowed.closeAll(), undefined)
    }
  }

  #handOn(state: State, closed: ClosedWindows<unknown> | undefined, trigger: Origin | undefined): void {
    const { windowed, results } = state
    const isUpdate = this.#parts.options.emit === 'update'
    const windows = isUpdate ? undefined : (closed?.windows ?? [])
    const count = windows === undefined ? windowed.updated.length + windowed.replaced.length : windows.length
    windowed.end()
    if (closed === undefined && count === 0) return
    const release = windowed.handOn(closed?.pins ?? [])
    if (results === undefined || count === 0) {
      this.#emit(state, windows, undefined)
      release.done()
      return
    }
    const origin = new ResultOrigin(results, state.offset, trigger, () => release.done())
    emitWith(origin, () => this.#emit(state, windows, origin))
    // Found closed: what was emitted is perhaps never looked at.
    if (!this.#parts.subscriber.closed) origin.passed()
  }

  /** The windows that have closed, or with undefined those that were updated. */
  #emit(state: State, closed: readonly OpenWindow<unknown, unknown>[] | undefined, origin: Origin | undefined): void {
    const { subscriber, aggregator } = this.#parts
    const { topic, partition, offset, windowed } = state
    const place = { topic, partition, offset }
    const next = (window: OpenWindow<unknown, unknown>, value: unknown): void => {
      if (!subscriber.closed) subscriber.next(windowResult(place, window, value, origin) as never)
    }
    if (closed !== undefined) {
      for (const window of closed) next(window, aggregator.result(window.state as never))
      return
    }
    // Nobody has them yet where it comes back here by way of what is further down.
    const replaced = windowed.replaced.splice(0)
    const updated = windowed.updated.splice(0)
    for (const window of replaced) next(window, null)
    for (const window of updated) next(window, aggregator.result(window.state as never))
  }

  /** Where a record came from; undefined where nothing is tracked. Throws SETTLED_EARLY. */
  #originOf(record: AnyRecord): Origin | undefined {
    const { chain } = this.#parts
    const isOutside = isOutsideHold()
    const origin = originOf(record) ?? (isOutside ? undefined : currentOrigins()[0])
    if (origin === undefined) {
      // Throws where it should have one.
      if (isOutside && chain.tracked) pinCurrent(chain)
      return undefined
    }
    chain.tracked = true
    if (origin.settled) pinAll(origin)
    return origin
  }

  #timeOf(record: AnyRecord): number {
    const timeMs: unknown = this.#parts.options.timestampOf?.(record) ?? record.timestamp
    if (Number.isSafeInteger(timeMs) && (timeMs as number) >= 0) return timeMs as number
    const where = `the record of ${record.topic}-${record.partition} at offset ${record.offset}`
    const remedy = 'give aggregate a timestampOf that gives milliseconds since the epoch, or filter such records out'
    throw new MillraceError('INVALID_TIMESTAMP', `${where} has the time ${String(timeMs)}: ${remedy}`)
  }

  #stateOf(record: AnyRecord, origin: Origin | undefined): State {
    const id = this.#watermark !== undefined ? '' : (origin?.partition ?? `${record.topic}-${record.partition}`)
    let state = this.#states.get(id)
    if (state === undefined) {
      state = this.#newState(record, origin?.partition)
      this.#states.set(id, state)
    }
    return state
  }

  #newState({ topic, partition }: AnyRecord, source: SourcePartition | undefined): State {
    const { windows, aggregator } = this.#parts
    const isOfGroup = this.#isInGroup && this.#watermark === undefined
    const marks = (isOfGroup && source !== undefined ? decodeMarks(source.committedMetadata) : undefined) ?? NO_MARKS
    const windowed = new WindowedPartition<unknown>(windows, aggregator, marks, isOfGroup)
    const results = source === undefined ? undefined : new ResultPartition(source, marks.inner)
    if (isOfGroup && source !== undefined) {
      if (source.metadata !== undefined) throw twoOfOne(source.topic)
      source.metadata = (position) => windowed.commitText(position, results!.metadata?.(position), METADATA_MAX_BYTES)
      windowed.settled()()
      source.whenSettled = () => {
        const [mayTell, mayTellInner] = [windowed.settled(), results!.whenSettled?.()]
        return () => {
          mayTell()
          mayTellInner?.()
        }
      }
    }
    if (this.#watermark === undefined) source?.onGone(() => this.#states.delete(source))
    return { windowed, topic, partition, results, offset: -1 }
  }

  #late(record: AnyRecord): void {
    const { late } = this.#parts.options
    if (late === undefined) return
    if (typeof late === 'function') late(record)
    else late.next(record)
  }

  /** As Kafka Streams does; whoever sends them may not know. */
  #skip({ topic, partition, offset, key }: AnyRecord): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const what = key === null || key === undefined ? 'key' : 'value'
    const message = `aggregate: the record of ${topic}-${partition} at offset ${offset} has a null ${what} and is skipped, as others will be`
    process.emitWarning(message, 'MillraceWarning')
  }
}

/** Of the keys as they come here. */
function keySerdeOf({ rekeyed, sources }: Chain): Serde<unknown, never> | undefined {
  return rekeyed === undefined ? sources[0]?.topics[0]?.keySerde : rekeyed.key
}

function partitionsOf({ sources }: Chain): readonly SourcePartition[] | undefined {
  const all: SourcePartition[] = []
  for (const source of sources) {
    const partitions = source.partitions()
    if (partitions === undefined) return undefined
    all.push(...partitions)
  }
  return all
}

function twoOfOne(topic: string): MillraceError {
  const message = `two aggregates take records of topic ${topic} in one chain of a group: what is committed has room for one of them`
  return new MillraceError('INVALID_REQUEST', `${message}; give each a fromTopic and a group of its own, or put repartition() before them`)
}
