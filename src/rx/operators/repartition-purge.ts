// Deletes from an internal topic what its group has read and committed (Kafka Streams:
// repartition.purge.interval.ms), so that it holds no more than what is on its way. Runs on the
// subscriber's thread.

import type { Clock, Timer } from '../../clock.ts'
import type { AttachedMillrace } from '../../client/millrace.ts'

/** As Kafka's default. */
export const PURGE_INTERVAL_MS = 30_000

/** Gives what ends it. */
export function startPurging(owner: AttachedMillrace, groupId: string, topic: string, clock: Clock): () => void {
  let timer: Timer | undefined
  let isOver = false
  const arm = (): void => {
    timer = clock.setTimer(PURGE_INTERVAL_MS, () => {
      void purge(owner, groupId, topic).finally(() => {
        if (!isOver) arm()
      })
    })
  }
  arm()
  return () => {
    isOver = true
    timer?.cancel()
  }
}

/** Once. What cannot be deleted now is deleted the next time. */
export async function purge(owner: Pick<AttachedMillrace, 'admin'>, groupId: string, topic: string): Promise<void> {
  try {
    const admin = owner.admin
    const committed = await admin.listGroupOffsets(groupId)
    const before = committed
      .filter((one) => one.topic === topic && one.offset > 0)
      .map(({ partition, offset }) => [partition, offset] as const)
    if (before.length > 0) await admin.deleteRecords(topic, Object.fromEntries(before))
  } catch {
    // The topic may be gone, the coordinator on its way, or the millrace closed.
  }
}
