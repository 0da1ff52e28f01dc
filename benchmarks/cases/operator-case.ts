// X1: what each operator of millrace/rxjs costs a record, beside the nearest that RxJS has.

import type { CaseSpec, ContenderSpec, Metric } from '../harness/bench-case.ts'
import { OPERATORS } from '../chains/operator-ids.ts'
import type { OperatorId } from '../chains/operator-ids.ts'

const VALUE_BYTES = 100

const METRICS = {
  operatorNs: { title: 'the operator, a record', unit: 'ns', better: 'lower' },
  nearestNs: { title: 'RxJS’s nearest, a record', unit: 'ns', better: 'lower' },
  chainNs: { title: 'the whole chain on `fromTopic`', unit: 'ns', better: 'lower' },
  nearestChainNs: { title: 'the whole chain on a Subject', unit: 'ns', better: 'lower' },
} as const satisfies Record<string, Metric>

function operator(id: OperatorId): ContenderSpec {
  const [title, nearest] = OPERATORS[id]
  return {
    id,
    title,
    kind: 'millrace',
    records: 200_000,
    smallRecords: 4_000,
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions: 2,
    setup: `beside it: ${nearest}`,
    open: async () => {
      const { openOperator } = await import('../chains/operators.ts')
      return openOperator({ operator: id, valueBytes: VALUE_BYTES })
    },
  }
}

export const X1: CaseSpec = {
  id: 'X1',
  title: 'the cost of each operator of millrace/rxjs',
  measures:
    'A topic of two partitions, filled before, is read to its end through four chains in turn: `fromTopic` → operator → map → subscribe, the ' +
    'same without the operator, and both on a Subject that is fed by `batches()`, with the nearest operator of RxJS, which holds nothing. ' +
    'The cost of an operator is the difference; opening the reader is in both.',
  metrics: METRICS,
  primary: 'operatorNs',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 3,
  repetitions: 9,
  contenders: (Object.keys(OPERATORS) as OperatorId[]).map(operator),
  targets: [],
}
