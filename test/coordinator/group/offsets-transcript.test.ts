// A conversation about offsets, line by line as Kafka's messages say it: what each answer
// is, and which records it leaves in `__consumer_offsets`.

import { expect, test } from 'vitest'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import type { DeleteGroupsResponse } from '../../../src/protocol/messages/42-delete-groups.ts'
import type { OffsetDeleteResponse } from '../../../src/protocol/messages/47-offset-delete.ts'
import { OffsetsWorld, RETENTION_MS, StagedGroup, byTopic, errorsOf } from './offsets-world.ts'

const NAMES = new Map<number, string>(Object.entries(KAFKA_ERRORS).map(([name, code]) => [code, name]))

class Conversation {
  readonly world = new OffsetsWorld()
  readonly lines: string[] = []
  #written = 0

  say(line: string): void {
    this.lines.push(line)
    for (const record of this.world.log.slice(this.#written)) this.lines.push(`  log ${this.#recordLine(record)}`)
    this.#written = this.world.log.length
  }

  commit(groupId: string, offsets: Record<string, number>, memberId = '', epoch = -1): void {
    const response = this.world.commit(groupId, offsets, { memberId, generationIdOrMemberEpoch: epoch })
    this.say(`OffsetCommit ${groupId} ${told(offsets)} of '${memberId}' ${epoch} -> ${named(errorsOf(response))}`)
  }

  fetch(groupId: string, partitions: string[] | null, memberId: string | null = null, memberEpoch = -1): void {
    const { errorCode, topics } = this.world.fetch(groupId, partitions, { memberId, memberEpoch })
    const offsets = topics.flatMap(({ name, partitions: all }) => all.map((p) => [`${name}-${p.partitionIndex}`, p.committedOffset]))
    const answer = errorCode === 0 ? told(Object.fromEntries(offsets) as Record<string, number>) : NAMES.get(errorCode)
    this.say(`OffsetFetch ${groupId} ${partitions?.join(' ') ?? 'all'} -> ${answer || 'nothing'}`)
  }

  deleteOffsets(groupId: string, partitions: string[]): void {
    const topics = byTopic(partitions).map(([name, all]) => ({ name, partitions: all.map((partitionIndex) => ({ partitionIndex })) }))
    const { errorCode, topics: answered } = this.world.take<OffsetDeleteResponse>(this.world.deletes.delete(1, { groupId, topics }))!
    const answer = errorCode === 0 ? named(errorsOf({ topics: answered } as never)) : NAMES.get(errorCode)
    this.say(`OffsetDelete ${groupId} ${partitions.join(' ')} -> ${answer}`)
  }

  deleteGroup(groupId: string): void {
    const { results } = this.world.take<DeleteGroupsResponse>(this.world.admin.delete(1, { groupsNames: [groupId] }))!
    this.say(`DeleteGroups ${groupId} -> ${NAMES.get(results[0]!.errorCode)}`)
  }

  list(): void {
    const { groups } = this.world.admin.list({ statesFilter: [], typesFilter: [] }, this.world.committed)
    this.say(`ListGroups -> ${groups.map(({ groupId, groupState, groupType }) => `${groupId} (${groupState}, ${groupType})`).join(', ')}`)
  }

  settle(): void {
    this.world.commitLog()
    this.say('-- committed')
  }

  #recordLine({ type, key, version, value }: GroupRecord): string {
    const of = 'topic' in key ? `${key.group} ${key.topic}-${key.partition}` : 'group' in key ? key.group : key.groupId
    return `${type} ${of} ${value === null ? 'gone' : 'offset' in value ? `v${version} ${value.offset}` : `v${version}`}`
  }
}

function told(offsets: Record<string, number>): string {
  return Object.entries(offsets)
    .map(([partition, offset]) => `${partition}@${offset}`)
    .join(' ')
}

function named(errors: Record<string, number>): string {
  return Object.entries(errors)
    .map(([partition, code]) => `${partition} ${NAMES.get(code)}`)
    .join(', ')
}

test('a conversation', () => {
  const talk = new Conversation()
  const { world } = talk
  world.metadata.create('clicks', 2)
  world.metadata.create('views', 1)

  talk.commit('simple', { 'clicks-0': 10, 'clicks-1': 20, 'gone-0': 1 })
  talk.fetch('simple', null)
  talk.settle()
  talk.fetch('simple', null)
  talk.fetch('simple', ['clicks-1', 'views-0'])
  talk.list()

  const dashboard = new StagedGroup('dashboard')
  dashboard.topics.add('clicks')
  world.groups.set('dashboard', dashboard)
  talk.commit('dashboard', { 'clicks-0': 7, 'views-0': 2 }, 'm', 3)
  dashboard.commitCheck = 'STALE_MEMBER_EPOCH'
  dashboard.fetchCheck = 'STALE_MEMBER_EPOCH'
  talk.commit('dashboard', { 'clicks-0': 6 }, 'm', 2)
  talk.settle()
  talk.fetch('dashboard', ['clicks-0'], 'm', 2)
  talk.fetch('dashboard', ['clicks-0'])
  talk.deleteOffsets('dashboard', ['clicks-0', 'views-0'])
  talk.deleteGroup('dashboard')

  world.deleteTopic('clicks')
  talk.say('-- topic clicks is deleted')
  world.metadata.create('clicks', 2)
  talk.settle()
  talk.fetch('dashboard', ['clicks-0'])
  talk.commit('simple', { 'clicks-0': 1 })

  world.wallMs += RETENTION_MS
  world.expire()
  talk.say('-- offsets expire')
  talk.settle()
  talk.list()
  talk.deleteGroup('simple')

  expect(`\n${talk.lines.join('\n')}\n`).toBe(`
OffsetCommit simple clicks-0@10 clicks-1@20 gone-0@1 of '' -1 -> clicks-0 NONE, clicks-1 NONE, gone-0 UNKNOWN_TOPIC_OR_PARTITION
  log OffsetCommit simple clicks-0 v4 10
  log OffsetCommit simple clicks-1 v4 20
OffsetFetch simple all -> nothing
-- committed
OffsetFetch simple all -> clicks-0@10 clicks-1@20
OffsetFetch simple clicks-1 views-0 -> clicks-1@20 views-0@-1
ListGroups -> simple (Empty, Classic)
OffsetCommit dashboard clicks-0@7 views-0@2 of 'm' 3 -> clicks-0 NONE, views-0 NONE
  log OffsetCommit dashboard clicks-0 v4 7
  log OffsetCommit dashboard views-0 v4 2
OffsetCommit dashboard clicks-0@6 of 'm' 2 -> clicks-0 STALE_MEMBER_EPOCH
-- committed
OffsetFetch dashboard clicks-0 -> STALE_MEMBER_EPOCH
OffsetFetch dashboard clicks-0 -> clicks-0@7
OffsetDelete dashboard clicks-0 views-0 -> clicks-0 GROUP_SUBSCRIBED_TO_TOPIC, views-0 NONE
  log OffsetCommit dashboard views-0 gone
DeleteGroups dashboard -> NON_EMPTY_GROUP
-- topic clicks is deleted
  log OffsetCommit simple clicks-0 gone
  log OffsetCommit simple clicks-1 gone
  log OffsetCommit dashboard clicks-0 gone
-- committed
OffsetFetch dashboard clicks-0 -> clicks-0@-1
OffsetCommit simple clicks-0@1 of '' -1 -> clicks-0 NONE
  log OffsetCommit simple clicks-0 v4 1
-- offsets expire
  log OffsetCommit simple clicks-0 gone
  log GroupMetadata simple gone
-- committed
ListGroups -> dashboard (Stable, Consumer)
DeleteGroups simple -> GROUP_ID_NOT_FOUND
`)
})
