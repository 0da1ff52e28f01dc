// How many offsets a second a member commits: one commit after the other, each acknowledged, and so
// many under way at once.

import { bytes, openMillrace } from '../../src/index.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'

export interface CommitOptions {
  /** Commits under way at once. */
  readonly inFlight: number
  readonly dataDir?: string
}

const PARTITIONS = 8

export async function openCommits({ inFlight, dataDir }: CommitOptions): Promise<Running> {
  const millrace = await openMillrace(dataDir === undefined ? {} : { dataDir })
  const topic = await millrace.topic('work', { partitions: PARTITIONS, value: bytes() })
  // Of a consumer that reads what it was assigned by hand: nothing but its commits is measured.
  const consumer = millrace.consumer({ groupId: 'bench', autoCommit: false })
  consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })))
  let next = 0
  return {
    async run(commits: number): Promise<Measurement> {
      let left = commits
      const commit = async (): Promise<void> => {
        while (left-- > 0) {
          next++
          await consumer.commitOffsets([{ topic, partition: next % PARTITIONS, offset: next }])
        }
      }
      const startSeconds = monotonicSeconds()
      await Promise.all(Array.from({ length: inFlight }, commit))
      const seconds = monotonicSeconds() - startSeconds
      const [last] = await consumer.committed([{ topic, partition: next % PARTITIONS }])
      if (last?.offset === undefined || last.offset <= next - inFlight * PARTITIONS)
        throw new Error('no result: the last commits are not there')
      return { arrival: null, bytes: 0, seconds, values: { commitsPerSecond: commits / seconds } }
    },
    close: () => millrace.close(),
  }
}
