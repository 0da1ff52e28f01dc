// How many windows a second `aggregate` makes, closes and emits: a topic of one partition, filled before, is read to its
// end through `fromTopic` → `aggregate` → subscribe, on one thread. All windows are counted, and all that is in them is summed.

import type { Observable, OperatorFunction } from 'rxjs'
import { bytes, openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import { aggregate, count, fromTopic, hopping, session, sum, tumbling } from '../../src/rxjs.ts'
import type { MillraceRecord } from '../../src/rxjs.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'
import { gapMs, periodMs, roundMs, timeMs, windowsOf } from './window-kinds.ts'
import type { WindowKind } from './window-kinds.ts'

const TOPIC = 'records'
/** So long ago does the last record lie, whatever the number of keys. */
const AGO_MS = 3_600_000

export interface WindowsOptions {
  readonly kind: WindowKind
  readonly keys: number
  readonly valueBytes: number
}

type Read = MillraceRecord<string | null, Uint8Array>
type Result = { readonly value: number }

function sumOf({ value }: { readonly value: Uint8Array }): number {
  return value[0]! + value[value.length - 1]!
}

function windowed(kind: WindowKind, keys: number): OperatorFunction<Read, Result> {
  const sizeMs = periodMs(keys)
  switch (kind) {
    case 'tumbling':
      return aggregate(tumbling({ sizeMs, graceMs: 0 }), count(), { emit: 'close' })
    case 'hopping':
      return aggregate(hopping({ sizeMs, advanceMs: sizeMs / 2, graceMs: 0 }), sum(sumOf), { emit: 'close' })
    case 'session':
      return aggregate(session({ inactivityGapMs: gapMs(keys), graceMs: 0 }), count(), { emit: 'close' })
  }
}

/** Of all results: each record is counted once, or summed in two windows. */
function expectedTotal(kind: WindowKind, records: number): number {
  return kind === 'hopping' ? 2 * expectedChecksum(records) : records
}

export async function openWindows({ kind, keys, valueBytes }: WindowsOptions): Promise<Running> {
  const millrace = await openMillrace()
  const topic = await millrace.topic(TOPIC, { value: bytes() })
  let filled = false
  return {
    async run(records: number): Promise<Measurement> {
      if (!filled) await fill(millrace, { kind, keys, valueBytes }, records)
      filled = true
      const startSeconds = monotonicSeconds()
      const { windows, total } = await tally(fromTopic(topic, { until: 'end' }).pipe(windowed(kind, keys)))
      const seconds = monotonicSeconds() - startSeconds
      const expectedRecords = windowsOf(kind, keys, records)
      return {
        arrival: { records: windows, checksum: total, expectedRecords, expectedChecksum: expectedTotal(kind, records) },
        bytes: records * valueBytes,
        seconds,
        values: { windowsPerSecond: expectedRecords / seconds, recordsPerSecond: records / seconds },
      }
    },
    close: () => millrace.close(),
  }
}

function tally(results: Observable<Result>): Promise<{ windows: number; total: number }> {
  return new Promise((resolve, reject) => {
    let windows = 0
    let total = 0
    results.subscribe({
      next({ value }) {
        windows++
        total += value
      },
      error: reject,
      complete: () => resolve({ windows, total }),
    })
  })
}

async function fill(millrace: EmbeddedMillrace, { kind, keys, valueBytes }: WindowsOptions, records: number): Promise<void> {
  const topic = await millrace.topic(TOPIC, { value: bytes() })
  const producer = millrace.producer()
  const value = patternValue(valueBytes)
  const period = periodMs(keys)
  const startMs = Math.floor((Date.now() - AGO_MS - timeMs(kind, keys, records) - roundMs(keys)) / period) * period
  for (let i = 0; i < records; i++) {
    stampValue(value, i)
    const options = { timestamp: startMs + timeMs(kind, keys, i) }
    while (!producer.offer(topic, `key-${i % keys}`, value, options)) await producer.drained()
  }
  await producer.flush()
  await producer.close()
}
