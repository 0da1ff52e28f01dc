// What an operator of millrace/rxjs costs a record, in ns: a chain with it less the same chain without,
// over a topic that was filled before. Beside it the nearest operator of RxJS, on a Subject that is fed by `batches()`.

import { bytes, openMillrace } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'
import { BenchThread, readyThreads } from '../harness/bench-thread.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'
import type { OperatorId } from './operator-ids.ts'
import type { ChainName, OperatorThreadData, Passed } from './operator-thread.ts'

const TOPIC = 'records'
const PARTITIONS = 2
const KEYS = 1_000
const CHAINS = ['bare', 'own', 'nearestBare', 'nearest'] as const satisfies readonly ChainName[]

export interface OperatorOptions {
  readonly operator: OperatorId
  readonly valueBytes: number
}

export async function openOperator({ operator, valueBytes }: OperatorOptions): Promise<Running> {
  const millrace = await openMillrace()
  await millrace.topic(TOPIC, { partitions: PARTITIONS, value: bytes() })
  const workerData: OperatorThreadData = { handle: millrace.handle, topic: TOPIC, operator }
  const thread = new BenchThread(operator, new URL('./operator-thread.ts', import.meta.url), { workerData })
  const close = await readyThreads(millrace, [thread])
  let filled = 0
  return {
    async run(records: number): Promise<Measurement> {
      if (filled === 0) await fill(millrace, records, valueBytes)
      filled = records
      const nanoseconds: Partial<Record<ChainName, number>> = {}
      for (const chain of CHAINS) {
        const { seconds, checksum } = await thread.ask<Passed>('pass', { chain })
        if (checksum !== expectedChecksum(records)) throw new Error(`no result: the chain ${chain} of ${operator} came to another sum`)
        nanoseconds[chain] = (seconds * 1e9) / records
      }
      return measurementOf(nanoseconds as Record<ChainName, number>, records, valueBytes)
    },
    close,
  }
}

function measurementOf(nanoseconds: Readonly<Record<ChainName, number>>, records: number, valueBytes: number): Measurement {
  const { bare, own, nearestBare, nearest } = nanoseconds
  return {
    // Each chain was checked for itself.
    arrival: null,
    bytes: records * valueBytes,
    seconds: ((bare + own + nearestBare + nearest) * records) / 1e9,
    values: { operatorNs: own - bare, nearestNs: nearest - nearestBare, chainNs: own, nearestChainNs: nearest },
  }
}

/** Records of 1,000 keys, a millisecond from one to the next, in turn to both partitions. */
async function fill(millrace: EmbeddedMillrace, records: number, valueBytes: number): Promise<void> {
  const topic = await millrace.topic(TOPIC, { value: bytes() })
  const producer = millrace.producer()
  const value = patternValue(valueBytes)
  const startMs = Date.now() - records
  for (let i = 0; i < records; i++) {
    stampValue(value, i)
    const options = { timestamp: startMs + i, partition: i % PARTITIONS }
    while (!producer.offer(topic, `key-${i % KEYS}`, value, options)) await producer.drained()
  }
  await producer.flush()
  await producer.close()
}
