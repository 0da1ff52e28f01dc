// Peer: an RxJS Subject with `map` and `filter` on one thread. Nothing crosses a thread and
// nothing is kept: it shows what the operators cost, and what a new value a record costs.

import { Subject, filter, map } from 'rxjs'
import { throughput } from '../harness/bench-case.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { expectedChecksum, patternValue, stampValue } from '../harness/record-pattern.ts'

export interface SubjectOptions {
  readonly valueBytes: number
  /** A new object with a value of its own a record, or one object again and again. */
  readonly fresh: boolean
}

interface RecordObject {
  readonly value: Uint8Array
}

export async function openSubject({ valueBytes, fresh }: SubjectOptions): Promise<Running> {
  const filling = patternValue(valueBytes)
  return {
    async run(records: number): Promise<Measurement> {
      let arrived = 0
      let checksum = 0
      const subject = new Subject<RecordObject>()
      const subscription = subject
        .pipe(
          map(({ value }) => value[0]! + value[value.length - 1]!),
          filter((sum) => sum >= 0),
        )
        .subscribe((sum) => {
          arrived++
          checksum += sum
        })
      const same: RecordObject = { value: filling }
      const startSeconds = monotonicSeconds()
      for (let i = 0; i < records; i++) {
        const record = fresh ? { value: new Uint8Array(filling) } : same
        stampValue(record.value, i)
        subject.next(record)
      }
      const seconds = monotonicSeconds() - startSeconds
      subscription.unsubscribe()
      const arrival = { records: arrived, checksum, expectedRecords: records, expectedChecksum: expectedChecksum(records) }
      return throughput(arrival, records * valueBytes, seconds)
    },
    close: async () => {},
  }
}
