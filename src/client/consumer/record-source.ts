// What records come from, as they need to know it: names and serdes of their topic, and
// whoever commits them. Types only. A bound topic is one, for a consumer without a group.

import type { BoundTopic } from '../topic.ts'

export interface RecordSource extends Pick<BoundTopic, 'name' | 'keySerde' | 'valueSerde'> {
  /** Only in a group. */
  readonly commits?: RecordCommits
}

/** Commits of one partition. Both reject with STALE_MEMBER_EPOCH when it is not this consumer's any more. */
export interface RecordCommits {
  /** All below the offset is settled. */
  commitBelow(offset: number): Promise<void>
  /** This record is settled. */
  commitRecord(offset: number): Promise<void>
}
