// R9: failover after a leader's thread has died.

import type { CaseSpec, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { openFailover } from '../failover/failover.ts'
import { FAILOVER_METRICS } from '../failover/failover-metrics.ts'
import { notBuilt } from '../start/start.ts'

const VALUE_BYTES = 100
const BROKERS = 3
const SETUP =
  'a fresh process each time, on the built package, three brokers that lead a partition each or two; a thread of the user sends to each ' +
  'once a millisecond, awaited, default settings'

interface Variant {
  readonly underLoad?: boolean
  readonly mainBlockedMs?: number
}

/** `deaths`: a repetition's. */
function failover(
  id: string,
  title: string,
  deaths: number,
  setup: string,
  { underLoad = false, mainBlockedMs = 0 }: Variant,
): ContenderSpec {
  return {
    id,
    title,
    kind: 'millrace',
    records: deaths,
    smallRecords: 2,
    valueBytes: VALUE_BYTES,
    threads: BROKERS + (underLoad ? 2 : 1),
    partitions: BROKERS,
    setup: `${SETUP}; ${setup}`,
    startsAnew: true,
    skip: notBuilt,
    open: (context: OpenContext) => openFailover({ brokers: BROKERS, valueBytes: VALUE_BYTES, underLoad, mainBlockedMs }, context),
  }
}

export const R9: CaseSpec = {
  id: 'R9',
  title: 'failover after a leader’s thread has died',
  measures:
    'From the last ack of the leader that dies to the first of its successor, of every partition that it led. Every record that was ' +
    'sent is acknowledged, and is in the log once.',
  metrics: FAILOVER_METRICS,
  primary: 'p50',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    failover('plain', 'main thread free', 20, '20 deaths', {}),
    failover('load', 'under load', 20, '20 deaths; another thread offers to all brokers at full speed', { underLoad: true }),
    failover('blocked', 'main thread blocked', 6, '6 deaths, each with the main thread blocked for the second after it', {
      mainBlockedMs: 1_000,
    }),
  ],
  targets: [
    { id: 'plain-p50', text: 'last ack to next ack: p50', value: (view) => view.median('plain', 'p50'), atMost: 10, unit: 'ms' },
    { id: 'plain-p99', text: 'last ack to next ack: p99', value: (view) => view.median('plain', 'p99'), atMost: 50, unit: 'ms' },
  ],
}
