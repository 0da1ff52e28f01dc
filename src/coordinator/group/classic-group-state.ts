// The states of a classic group, and which may follow which (Kafka: ClassicGroupState).
//
//            first join                     all have joined             the leader's SyncGroup
//   Empty ──────────────▶ PreparingRebalance ─────────────▶ CompletingRebalance ─────────▶ Stable
//     ▲                        │    ▲                              │                         │
//     └──── nobody is left ────┘    └─ a member comes, goes, joins again with something new ─┘
//
// Data only.

/**
 * Empty: nobody is in it. Joins begin a rebalance; commits without a member are taken.
 * PreparingRebalance: waits for all to join, or for those to go who do not. Heartbeats and SyncGroups are told to join again.
 * CompletingRebalance: all who joined know the generation; waits for the leader's assignment. SyncGroups wait; commits are refused.
 * Stable: the assignment is in the log; SyncGroups are answered with it.
 * Dead: its records are gone; whoever still knows it is told so.
 */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** What may follow a state. */
export const CLASSIC_GROUP_TRANSITIONS: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ['PreparingRebalance', 'Dead'],
  PreparingRebalance: ['CompletingRebalance', 'Empty', 'Dead'],
  CompletingRebalance: ['Stable', 'PreparingRebalance', 'Dead'],
  Stable: ['PreparingRebalance', 'Dead'],
  Dead: [],
}
