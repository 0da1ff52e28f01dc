// X2: windows a second by the number of keys.

import type { CaseSpec, ContenderSpec, Metric } from '../harness/bench-case.ts'
import { KEY_COUNTS, WINDOW_KINDS } from '../windows/window-kinds.ts'
import type { WindowKind } from '../windows/window-kinds.ts'
import { count } from '../harness/format.ts'

const VALUE_BYTES = 16
/** Whole windows for every number of keys, at least two one after the other. */
const RECORDS = 800_000
const SMALL_RECORDS = 4_000

const METRICS = {
  windowsPerSecond: { title: 'windows', unit: 'windows/s', better: 'higher' },
  recordsPerSecond: { title: 'records', unit: 'records/s', better: 'higher' },
} as const satisfies Record<string, Metric>

const WORDS: Readonly<Record<WindowKind, string>> = {
  tumbling: 'tumbling, count',
  hopping: 'hopping, two windows a record, sum',
  session: 'session, count',
}

function windows(kind: WindowKind, keys: number): ContenderSpec {
  return {
    id: `${kind}-${keys}`,
    title: `${WORDS[kind]}: ${count(keys)} ${keys === 1 ? 'key' : 'keys'}`,
    kind: 'millrace',
    records: RECORDS,
    smallRecords: SMALL_RECORDS,
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions: 1,
    setup: 'one broker, memory durability, text keys; no group; four records a key and window, emitted when it closes, no grace',
    open: async () => {
      const { openWindows } = await import('../windows/windows.ts')
      return openWindows({ kind, keys, valueBytes: VALUE_BYTES })
    },
  }
}

export const X2: CaseSpec = {
  id: 'X2',
  title: 'windows a second by the number of keys',
  measures:
    '`fromTopic` → `aggregate` → subscribe over a topic that was filled before, from subscribe to complete. Each key takes its turn, and ' +
    'each window has four records of its key, so that the number of windows is the same whatever the number of keys; every window is counted.',
  metrics: METRICS,
  primary: 'windowsPerSecond',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: WINDOW_KINDS.flatMap((kind) => KEY_COUNTS.map((keys) => windows(kind, keys))),
  smallContenders: ['tumbling-1', 'tumbling-1000', 'hopping-1', 'hopping-100', 'session-10', 'session-1000'],
  targets: [],
}
