// Bugs of one line in the coordinator of groups and in what a consumer knows of its group:
// each is found by the simulation of groups (test/coordinator/simulation), but for what a
// consumer does with its offsets: members of the simulation commit for themselves.

import type { SeededBug } from './seeded-bugs.ts'

const SIMULATED = { simulation: 'groups', from: 1, seeds: 200 } as const

export const GROUP_SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'a commit of an old member epoch is taken',
    file: 'coordinator/group/consumer-group.ts',
    find: "if (member.memberEpoch === memberEpoch) return 'NONE'",
    replace: "if (member.memberEpoch >= memberEpoch) return 'NONE'",
    foundBy: SIMULATED,
  },
  {
    name: 'a partition is given before its owner has given it up',
    file: 'coordinator/group/current-assignment-builder.ts',
    find: 'if (holder === undefined || holder === member.memberId) given',
    replace: 'if (holder !== null) given',
    foundBy: SIMULATED,
  },
  {
    name: 'a heartbeat that does not say what its member has is taken for one that has given up',
    file: 'coordinator/group/current-assignment-builder.ts',
    find: '  if (owned === undefined) return true\n',
    replace: '  if (owned === undefined) return false\n',
    foundBy: SIMULATED,
  },
  {
    name: 'a member leaves without a new epoch of its group',
    file: 'coordinator/group/consumer-group-heartbeat.ts',
    find: '\n      bumpEpoch(change, this.#parts.image())\n',
    replace: '\n',
    foundBy: SIMULATED,
  },
  {
    name: 'a tombstone is forgotten, and who left is there again after a reload',
    file: 'coordinator/group/consumer-group-records.ts',
    find: "  return [\n    { type: 'ConsumerGroupCurrentMemberAssignment', key, ...NONE },\n",
    replace: '  return [\n',
    foundBy: SIMULATED,
  },
  {
    name: 'an answer is given before what it tells is committed',
    file: 'coordinator/coordinator-runtime.ts',
    find: 'else if (this.#decided <= highWatermark) this.#answer(',
    replace: 'else if (this.#decided >= highWatermark) this.#answer(',
    foundBy: SIMULATED,
  },
  {
    name: 'the records of a batch are replayed from its end',
    file: 'coordinator/coordinator-runtime.ts',
    find: '    for (const record of records) shard.replay(record)\n',
    replace: '    for (const record of records.toReversed()) shard.replay(record)\n',
    foundBy: SIMULATED,
  },
  {
    name: 'what is not committed is read',
    file: 'coordinator/timeline.ts',
    find: '      if (snapshot.epoch < epoch) continue\n',
    replace: '      if (snapshot.epoch <= epoch) continue\n',
    foundBy: SIMULATED,
  },
  {
    name: 'a state that goes back keeps what came last',
    file: 'coordinator/timeline.ts',
    find: '      for (const [map, old] of last.changed) map.restore(old)\n      last.changed.clear()\n      if (last.epoch === epoch) return\n',
    replace: '      if (last.epoch === epoch) return\n      for (const [map, old] of last.changed) map.restore(old)\n',
    foundBy: SIMULATED,
  },
  {
    name: 'an offset of another topic of the name is given',
    file: 'coordinator/group/offsets.ts',
    find: 'return current !== undefined && (isZero(topicId) || equalTopicIds(topicId, current))',
    replace: 'return current !== undefined || isZero(topicId)',
    foundBy: SIMULATED,
  },
  {
    name: 'an offset that is deleted is there as long as nobody reloads',
    file: 'coordinator/group/offsets.ts',
    find: '    partitions.delete(partition)\n',
    replace: '',
    foundBy: SIMULATED,
  },
  {
    name: 'an offset that a member of the group reads expires',
    file: 'coordinator/group/offset-expiry.ts',
    find: 'const isHeld = group.isSubscribedTo(topic)',
    replace: 'const isHeld = false',
    foundBy: SIMULATED,
  },
  {
    name: 'who is no member commits while there are some',
    file: 'coordinator/group/offset-commit.ts',
    find: "if (!isMember && group.state() === 'Empty') return 'NONE'",
    replace: "if (!isMember) return 'NONE'",
    foundBy: SIMULATED,
  },
  {
    name: 'a session is not begun anew by a heartbeat',
    file: 'coordinator/group/consumer-group-heartbeat.ts',
    find: "    change.setTimer('session', after.memberId, now.nowMs + consumerSessionTimeoutMs)\n",
    replace: "    if (request.memberEpoch === 0) change.setTimer('session', after.memberId, now.nowMs + consumerSessionTimeoutMs)\n",
    foundBy: SIMULATED,
  },
  {
    name: 'a thread is not told that its member was put out',
    file: 'coordinator/coordinator-runtime.ts',
    find: '    for (const host of fenced) this.#options.onFenced(host)\n',
    replace: '',
    foundBy: SIMULATED,
  },
  {
    name: 'a heartbeat that is held back is not looked at again',
    file: 'coordinator/coordinator-runtime.ts',
    find: '    for (const key of news) this.#held.lookAgain(key)\n',
    replace: '',
    foundBy: SIMULATED,
  },
  {
    name: 'who waits for a partition does not hear that it is free',
    file: 'coordinator/group/consumer-groups.ts',
    find: 'if (!change.hasNewTarget && change.freed.size === 0) return news',
    replace: 'if (!change.hasNewTarget) return news',
    foundBy: SIMULATED,
  },
  {
    name: 'an instance id is taken from a member that is there',
    file: 'coordinator/group/consumer-group-heartbeat.ts',
    find: 'if (!isAway(holder) && holder.classicMember === null) return',
    replace: 'if (!isAway(holder) && holder.classicMember !== null) return',
    foundBy: SIMULATED,
  },
  {
    name: 'a consumer takes a partition that it has just said it does not have',
    file: 'client/consumer/group-membership.ts',
    find: '      for (const key of this.#target?.keys() ?? []) if (!owned.has(key)) this.#target!.delete(key)\n',
    replace: '',
    foundBy: SIMULATED,
  },
  {
    name: 'a consumer does not say that it has what it is about to read',
    file: 'client/consumer/group-membership.ts',
    find: 'const owned = this.#allPartitions()',
    replace: 'const owned = this.#owned',
    foundBy: SIMULATED,
  },
  {
    name: 'a consumer says that it gave up what it still reads',
    file: 'client/consumer/group-membership.ts',
    find: "    if (going.size > 0) this.#begin('revoke', going)\n",
    replace:
      "    for (const key of going.keys()) this.#owned.delete(key)\n    if (going.size > 0) this.#begin('revoke', going)\n    if (going.size > 0) this.#work = { ...this.#work!, partitions: new Map() }\n    if (going.size > 0) this.#tell()\n",
    foundBy: SIMULATED,
  },
  {
    name: 'a consumer that was put out keeps what it had',
    file: 'client/consumer/group-membership.ts',
    find: '    if (this.#allPartitions().size > 0) {\n      this.#lose()\n      return this.#take()\n    }\n    return isLeaving',
    replace: '    return isLeaving',
    foundBy: SIMULATED,
  },
  {
    name: 'a commit of an earlier ownership goes on under the next',
    file: 'client/consumer/offset-commits.ts',
    find: "const isStillHeld = (): boolean => owned.state !== 'gone'",
    replace: 'const isStillHeld = (): boolean => this.#options.holdOf(topic, partition) !== undefined',
    foundBy: { test: 'test/client/consumer/offset-commits.test.ts' },
  },
]
