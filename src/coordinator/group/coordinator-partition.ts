// Which partition of `__consumer_offsets` a group belongs to: whoever leads it coordinates
// the group. Of `__transaction_state` and a transactional id the same.
// Pure.

/** Kafka takes 0 for its absolute value. */
const INT_MIN = -0x8000_0000

/** Kafka's: the hash that Java gives a string, without its sign, modulo the partitions. Over UTF-16 units, as in Java. */
export function coordinatorPartition(id: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (Math.imul(31, hash) + id.charCodeAt(i)) | 0
  return (hash === INT_MIN ? 0 : Math.abs(hash)) % partitions
}
