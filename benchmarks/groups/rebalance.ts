// How long a group takes to share its partitions anew when one joins, and when one leaves: from the
// call to where every member has what it is to have, and has told the coordinator so.
//
// All members are on this thread: what is measured is the coordinator's work and that of all members
// on one core, which is more than what threads of their own would need.

import { bytes, openMillrace } from '../../src/index.ts'
import type { Consumer } from '../../src/index.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { quantile } from '../harness/statistics.ts'

export interface RebalanceOptions {
  readonly members: number
  readonly partitions: number
}

const TOPIC = 'work'
const GROUP = 'bench'
const LATE_SECONDS = 60

interface Member {
  readonly consumer: Consumer
  readonly reading: Promise<void>
}

export async function openRebalance({ members, partitions }: RebalanceOptions): Promise<Running> {
  const millrace = await openMillrace({ partitionsMax: partitions + 64 })
  const topic = await millrace.topic(TOPIC, { partitions, value: bytes() })
  const group: Member[] = []
  let moved = 0
  const join = (): void => {
    const consumer = millrace.consumer({ groupId: GROUP, onRevoked: (revoked) => void (moved += revoked.length) })
    const read = async (): Promise<void> => {
      for await (const _ of consumer.batches(topic));
    }
    group.push({ consumer, reading: read().catch(() => undefined) })
  }
  const isShared = (): boolean => {
    const sizes = group.map(({ consumer }) => consumer.assignment().length)
    const epoch = group[0]!.consumer.groupMetadata().memberEpoch
    const isOneEpoch = epoch > 0 && group.every(({ consumer }) => consumer.groupMetadata().memberEpoch === epoch)
    return isOneEpoch && Math.max(...sizes) - Math.min(...sizes) <= 1 && sizes.reduce((sum, size) => sum + size, 0) === partitions
  }
  const shared = async (fromSeconds: number): Promise<number> => {
    while (!isShared()) {
      if (monotonicSeconds() - fromSeconds > LATE_SECONDS) throw new Error('no result: the group does not come to rest')
      await new Promise((resolve) => setImmediate(resolve))
    }
    return (monotonicSeconds() - fromSeconds) * 1_000
  }
  for (let i = 0; i < members; i++) join()
  await shared(monotonicSeconds())
  return {
    async run(changes: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const joined: number[] = []
      const left: number[] = []
      moved = 0
      for (let change = 0; change < changes; change++) {
        const joinSeconds = monotonicSeconds()
        join()
        joined.push(await shared(joinSeconds))
        const { consumer, reading } = group.shift()!
        const leaveSeconds = monotonicSeconds()
        const closing = consumer.close()
        left.push(await shared(leaveSeconds))
        await Promise.all([closing, reading])
      }
      return {
        arrival: null,
        bytes: 0,
        seconds: monotonicSeconds() - startSeconds,
        values: { joined: quantile(joined, 0.5), left: quantile(left, 0.5), moved: moved / (2 * changes) },
        detail: { joined, left },
      }
    },
    close: () => millrace.close(),
  }
}
