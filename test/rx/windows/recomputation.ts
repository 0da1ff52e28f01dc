// What windows must come to, computed from all records at once and by other means than the
// stores: the definitions of Kafka Streams, word for word. None of the records is late.

import type { SessionWindows, SlidingWindows, TimeWindows, Windows } from '../../../src/rx/windows/windows.ts'

export interface Sample {
  readonly key: string
  readonly timeMs: number
  readonly value: number
}

/** Sum of values by `key start-end`. */
export function recompute(windows: Windows, records: readonly Sample[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const [key, ofKey] of Map.groupBy(records, (record) => record.key)) {
    for (const [startMs, endMs, lastMs] of spansOf(windows, ofKey)) {
      const inside = ofKey.filter(({ timeMs }) => timeMs >= startMs && timeMs <= lastMs)
      if (inside.length > 0)
        sums.set(
          `${key} ${startMs}-${endMs}`,
          inside.reduce((sum, { value }) => sum + value, 0),
        )
    }
  }
  return sums
}

type Span = readonly [startMs: number, endMs: number, lastMs: number]

function spansOf(windows: Windows, records: readonly Sample[]): Span[] {
  switch (windows.kind) {
    case 'time':
      return timeSpans(windows, records)
    case 'sliding':
      return slidingSpans(windows, records)
    case 'session':
      return sessionSpans(windows, records)
  }
}

function timeSpans({ sizeMs, advanceMs }: TimeWindows, records: readonly Sample[]): Span[] {
  const spans: Span[] = []
  const highest = Math.max(...records.map(({ timeMs }) => timeMs))
  for (let startMs = 0; startMs <= highest; startMs += advanceMs) spans.push([startMs, startMs + sizeMs, startMs + sizeMs - 1])
  return spans
}

function slidingSpans({ timeDifferenceMs }: SlidingWindows, records: readonly Sample[]): Span[] {
  return records.flatMap(({ timeMs }) => {
    const left = Math.max(0, timeMs - timeDifferenceMs)
    return [left, timeMs + 1].map((startMs) => [startMs, startMs + timeDifferenceMs, startMs + timeDifferenceMs] as const)
  })
}

function sessionSpans({ inactivityGapMs }: SessionWindows, records: readonly Sample[]): Span[] {
  const times = records.map(({ timeMs }) => timeMs).sort((a, b) => a - b)
  const spans: [number, number, number][] = []
  for (const timeMs of times) {
    const last = spans.at(-1)
    if (last === undefined || timeMs - last[1] > inactivityGapMs) spans.push([timeMs, timeMs, timeMs])
    else last[1] = last[2] = timeMs
  }
  return spans
}
