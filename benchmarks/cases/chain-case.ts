// S14: the source of millrace/rxjs under the operators of RxJS, beside the same operators on a Subject.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import type { ChainSource } from '../chains/chain-reader.ts'
import { ROAD_SETUP, roadContender } from './road-settings.ts'
import { postMessage } from './throughput-cases.ts'

const VALUE_BYTES = 100
const RECORDS = { records: 3_000_000, smallRecords: 50_000 }

function chain(id: ChainSource, title: string, how: string): ContenderSpec {
  return roadContender({ id, title, ...RECORDS, setup: `${how}; ${ROAD_SETUP}` }, { valueBytes: VALUE_BYTES, chain: id })
}

export const S14: CaseSpec = {
  id: 'S14',
  title: '`fromTopic` → map → filter → subscribe, 100-byte values',
  measures:
    'S1 whose reader is a chain of RxJS operators: from the first `offer` to the last value in `subscribe`, beside the same operators on a ' +
    'Subject that is given the lazy records of `batches()` one by one, and tracks nothing.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 3,
  repetitions: 7,
  contenders: [
    chain('from-topic', '`fromTopic`, all partitions', 'each record tracked from its call of `next` to where it is settled'),
    chain('group', '`fromTopic`, member of a group', 'the same, and what is settled is committed'),
    { ...chain('subject', '`batches()` into a Subject', 'nothing is tracked'), kind: 'limit' },
    postMessage('array', 'postMessage, arrays of 1,000 objects', VALUE_BYTES, 400_000),
  ],
  targets: [
    {
      id: 'subject',
      text: 'fromTopic against the same operators on a Subject',
      value: (view) => view.ratio('from-topic', 'subject'),
      atLeast: 0.5,
      unit: 'ratio',
    },
    {
      id: 'subject-group',
      text: 'fromTopic in a group against the same operators on a Subject',
      value: (view) => view.ratio('group', 'subject'),
      atLeast: 0.5,
      unit: 'ratio',
    },
    {
      id: 'post-message',
      text: 'fromTopic against postMessage of arrays',
      value: (view) => view.ratio('from-topic', 'post-message-array'),
      atLeast: 5,
      unit: 'ratio',
    },
    {
      id: 'post-message-group',
      text: 'fromTopic in a group against postMessage of arrays',
      value: (view) => view.ratio('group', 'post-message-array'),
      atLeast: 5,
      unit: 'ratio',
    },
  ],
}
