// S9: `send` awaited one by one, and `sendAll` of 1,000 awaited, with default settings.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, TargetSpec } from '../harness/bench-case.ts'
import { KAFKA_METRICS } from '../peers/kafka-address.ts'
import { kafkaClient } from './kafka-peers.ts'
import { cannotSpin } from './spinning.ts'

const VALUE_BYTES = 100
const RECORDS_PER_CALL = 1_000

function ours(recordsPerCall: number, idleStrategy: 'park' | 'spin'): ContenderSpec {
  const call = recordsPerCall === 1 ? 'send' : 'sendAll'
  const records = recordsPerCall === 1 ? 20_000 : 400_000
  return {
    id: `${call}-${idleStrategy}`,
    title: `${call}${recordsPerCall === 1 ? '' : ' of 1,000'}, awaited${idleStrategy === 'spin' ? ', spinning' : ''}`,
    kind: 'millrace',
    records,
    smallRecords: recordsPerCall === 1 ? 500 : 20_000,
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions: 1,
    setup: idleStrategy === 'park' ? 'default settings; read, counted and summed afterwards' : 'idleStrategy: spin, otherwise the same',
    ...(idleStrategy === 'park' ? {} : { skip: cannotSpin }),
    open: async () => {
      const { openAwait } = await import('../await/await.ts')
      // The park strategy is the default: nothing is said then, so that default settings are measured.
      return openAwait({ valueBytes: VALUE_BYTES, recordsPerCall, millrace: idleStrategy === 'park' ? {} : { idleStrategy } })
    },
  }
}

const target = (text: string, ours: string, theirs: string, atLeast: number): TargetSpec => ({
  id: ours,
  text,
  value: (view) => view.ratio(ours, theirs),
  atLeast,
  unit: 'ratio',
})

export const S9: CaseSpec = {
  id: 'S9',
  title: 'every call awaited: send, and sendAll of 1,000',
  measures: 'One of the user’s threads sends, awaits the acknowledgement, and sends again.',
  metrics: {
    ...THROUGHPUT_METRICS,
    callUs: { title: 'a call', unit: 'µs', better: 'lower' },
    ...KAFKA_METRICS,
  },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: [
    ours(1, 'park'),
    ours(RECORDS_PER_CALL, 'park'),
    ours(1, 'spin'),
    ours(RECORDS_PER_CALL, 'spin'),
    kafkaClient('kafka-send', 1, VALUE_BYTES, 5_000),
    kafkaClient('kafka-send-all', RECORDS_PER_CALL, VALUE_BYTES, 200_000),
  ],
  targets: [
    target('send, awaited, against @platformatic/kafka → Kafka', 'send-park', 'kafka-send', 3),
    target('sendAll of 1,000, awaited, against @platformatic/kafka → Kafka', 'sendAll-park', 'kafka-send-all', 10),
    target('send, awaited, spinning, against @platformatic/kafka → Kafka', 'send-spin', 'kafka-send', 10),
  ],
}
