// The two topics of the example, as plain values: every thread imports them.
// Your own code imports from 'millrace'; here it is the source beside us.

import { defineTopic, json, string } from '../../src/index.ts'
import { MALFORMED_PARTITIONS, PARTITIONS } from './cluster.ts'
import type { Visit } from './parse-line.ts'
import { recordBytesMax } from './progress.ts'

/** One line of the log: what it says, and the how manieth of its client it is, counted from 1 by the producer. */
export interface UserActivity extends Visit {
  readonly sequence: number
}

/** Key: the client's address, so that one client's records stay in order on one partition. Timestamp: the time in the line. */
export const userActivity = defineTopic('user_activity', {
  partitions: PARTITIONS,
  key: string(),
  value: json<UserActivity>(),
  config: { 'retention.ms': -1 }, // the log is of 2015: by age, all of it would go at once
})

/** Lines that could not be parsed, as they are, with headers `input`, `line` and `reason`. */
export const malformedLines = defineTopic('user_activity.malformed', {
  partitions: MALFORMED_PARTITIONS,
  value: string(),
  config: { 'retention.ms': -1 },
})

/** What a record counts for in the shared progress: the same on the producer's and on the consumer's side. */
export function activityBytes(client: string, activity: Visit): number {
  const { user, method, path, protocol, referrer, agent } = activity
  const characters = (user?.length ?? 0) + method.length + path.length + protocol.length + (referrer?.length ?? 0) + (agent?.length ?? 0)
  return recordBytesMax(client.length + characters)
}
