// What came out of one round of churn in groups.

import type { Anomalies } from '../anomalies.ts'
import type { GroupFaultKind, GroupRoundPlan } from './group-plan.ts'
import type { GroupTimes } from './group-times.ts'
import type { Count } from './group-words.ts'

export interface GroupRoundResult {
  readonly plan: GroupRoundPlan
  readonly bites: Map<GroupFaultKind, number>
  readonly tried: Map<GroupFaultKind, number>
  readonly counts: Map<Count, number>
  readonly threadDeaths: number
  readonly memberDeaths: number
  readonly times: GroupTimes
  readonly acked: number
  readonly handedOut: number
  readonly seconds: number
  readonly anomalies: Anomalies
  /** What else was not as it must be. */
  readonly problems: readonly string[]
}
