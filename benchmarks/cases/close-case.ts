// C7: close() under load.

import type { CaseSpec, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { CLOSE_METRICS, openClose } from '../close/close.ts'
import type { Closer } from '../close/close-under-load.ts'
import { WINDOW_BYTES } from './road-settings.ts'

const VALUE_BYTES = 100

function closing(closer: Closer, title: string, setup: string): ContenderSpec {
  return {
    id: closer,
    title,
    kind: 'millrace',
    // Milliseconds of load before it is closed.
    records: 1_000,
    smallRecords: 100,
    valueBytes: VALUE_BYTES,
    threads: 3,
    partitions: 1,
    setup: `a fresh process each time, default settings, full speed for a second; ${setup}`,
    startsAnew: true,
    open: (context: OpenContext) => openClose({ closer, valueBytes: VALUE_BYTES, windowBytes: WINDOW_BYTES }, context),
  }
}

export const C7: CaseSpec = {
  id: 'C7',
  title: 'close() under load',
  measures:
    'From the call of `close()` while records move until it resolves, then until the process has ended by itself. What was taken ' +
    'before is acknowledged and is read, or its sender is told that it was not.',
  metrics: CLOSE_METRICS,
  primary: 'closeMs',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 9,
  contenders: [
    closing('attached', 'by an attached thread', 'the thread that offers closes what it attached; all it offered is read afterwards'),
    closing('opener', 'by the thread that opened', '1,000 of its sends and another thread’s offers under way; every send is told its fate'),
  ],
  targets: [
    {
      id: 'attached',
      text: 'close() by an attached thread, nothing taken lost, worst of all repetitions',
      value: (view) => view.max('attached', 'closeMs'),
      atMost: 1_000,
      unit: 'ms',
    },
    {
      id: 'opener',
      text: 'close() by the thread that opened, every send told its fate, worst of all repetitions',
      value: (view) => view.max('opener', 'closeMs'),
      atMost: 1_000,
      unit: 'ms',
    },
  ],
}
