// X3: `mapInPool` beside piscina as it comes, with work on the CPU and without.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import type { PoolWork } from '../pool/value-work.ts'

const VALUE_BYTES = 100
const RECORDS_IN_POOL = 1_024
const RECORDS_PER_TASK = 64

const WORKS = [
  { work: 'none', id: 'none', words: 'no work' },
  { work: '20µs', id: 'work', words: '20 µs a record' },
] as const satisfies readonly { work: PoolWork; id: string; words: string }[]

type Work = (typeof WORKS)[number]

/** With work a thread does 50,000 a second at best. */
function recordsOf({ work }: Work, withoutWork: number): Pick<ContenderSpec, 'records' | 'smallRecords'> {
  return { records: work === 'none' ? withoutWork : 20_000, smallRecords: 1_000 }
}

function mapping(one: Work): ContenderSpec {
  return {
    id: `map-in-pool-${one.id}`,
    title: `\`mapInPool\`, ${one.words}`,
    kind: 'millrace',
    ...recordsOf(one, 200_000),
    valueBytes: VALUE_BYTES,
    threads: 3,
    partitions: 1,
    setup: `one broker, memory durability; records read from a topic, in order, each held; one thread in the pool, ${RECORDS_IN_POOL} records in it at most`,
    open: async () => {
      const { openMapping } = await import('../pool/mapping.ts')
      return openMapping({ work: one.work, valueBytes: VALUE_BYTES, recordsInPool: RECORDS_IN_POOL })
    },
  }
}

function piscina(one: Work, recordsPerTask: number): ContenderSpec {
  return {
    id: `piscina-${recordsPerTask}-${one.id}`,
    title: `piscina, ${recordsPerTask === 1 ? 'a task a record' : `a task ${recordsPerTask} records`}, ${one.words}`,
    kind: 'peer',
    ...recordsOf(one, recordsPerTask === 1 ? 30_000 : 200_000),
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions: 0,
    setup: `values made on the main thread, one thread in the pool, ${RECORDS_IN_POOL} records in it at most; no log`,
    open: async () => {
      const { openBarePiscina } = await import('../pool/bare-piscina.ts')
      return openBarePiscina({ work: one.work, valueBytes: VALUE_BYTES, recordsPerTask, recordsInPool: RECORDS_IN_POOL })
    },
  }
}

export const X3: CaseSpec = {
  id: 'X3',
  title: '`mapInPool` beside piscina, 100-byte values',
  measures:
    'From the first record that is offered to the last result on the main thread: `fromTopic` → `mapInPool` → subscribe, beside tasks that ' +
    'are given to piscina at once, one a record or one for an array. The thread of each pool sums, and with work keeps its core for 20 µs a record.',
  metrics: THROUGHPUT_METRICS,
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 5,
  contenders: WORKS.flatMap((one) => [mapping(one), piscina(one, 1), piscina(one, RECORDS_PER_TASK)]),
  targets: [],
}
