// hot path 6/8 · The high watermark: the least durable end of the in-sync replicas
// (Kafka: ReplicaManager; here also with one replica, where "durable" is named by
// the topic's durability). Pure; runs on the partition leader's broker thread.
// Holds: it never moves back, and no reader sees a record at or above it.

/** The watermark that the durable ends of the in-sync replicas allow, never below `current`. */
export function highWatermark(current: number, durableEnds: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < durableEnds.length; i++) least = Math.min(least, durableEnds[i]!)
  return least === Number.POSITIVE_INFINITY || least < current ? current : least
}
