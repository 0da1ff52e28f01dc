// Classic groups as Kafka's coordinator wrote them, read and written again.

import { describe, expect, test } from 'vitest'
import type { ClassicGroup } from '../../../src/coordinator/group/classic-group.ts'
import { encodeGroupRecord, replayGroupBatches } from '../../../src/coordinator/group/group-batch.ts'
import type { GroupRecord } from '../../../src/coordinator/group/group.ts'
import { readGoldenLogDir } from '../../protocol/golden-log-dir.ts'
import { ClassicWorld } from './classic-world.ts'

const files = readGoldenLogDir()

describe.skipIf(files === undefined)("Kafka's classic groups", () => {
  const records: GroupRecord[] = []
  for (const [path, bytes] of files ?? []) {
    if (path.startsWith('__consumer_offsets-') && path.endsWith('.log')) {
      replayGroupBatches(bytes, bytes.length, 0, (record) => records.push(record))
    }
  }
  const ofGroups = records.filter(({ type }) => type === 'GroupMetadata')

  test('are what each of their records says, and are written as Kafka writes them', () => {
    const world = new ClassicWorld()
    const states: string[] = []
    for (const record of ofGroups) {
      if (record.type !== 'GroupMetadata' || record.value === null) continue
      world.classic.replay(record.key, record.value)
      const group = world.groups.get(record.key.group) as ClassicGroup
      states.push(`${group.groupId} ${group.generation} ${group.state()} ${group.memberCount()} ${group.protocolName}`)
      expect(encodeGroupRecord(group.record())).toEqual(encodeGroupRecord(record))
    }
    expect(states).toEqual(['group-classic 0 Empty 0 null', 'group-classic 1 Stable 1 range', 'group-classic 2 Empty 0 null'])
  })

  test('go on: who was in one when the coordinator stopped has a session to come back in', () => {
    const world = new ClassicWorld()
    world.log.push(...ofGroups.slice(0, 2))
    world.restart()
    const group = world.group('group-classic')!
    expect(group.isSubscribedTo('access')).toBe(true)
    expect(group.isSubscribedTo('compacted')).toBe(false)
    expect(group.describe()).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
    expect(group.describe().members[0]!.memberAssignment.length).toBeGreaterThan(10)
    world.clock.advance([...group.members.values()][0]!.sessionTimeoutMs)
    expect(world.recorded('group-classic')).toMatchObject({ generation: 2, members: [], protocolType: 'consumer' })
  })

  test('are gone when their record is taken away', () => {
    const world = new ClassicWorld()
    world.log.push(...ofGroups.slice(0, 3))
    world.restart()
    const group = world.group('group-classic')!
    expect(group.checkDelete()).toBe('NONE')
    world.take({ records: group.tombstones() })
    expect(world.groups.size()).toBe(0)
    expect(group.checkDelete()).toBe('GROUP_ID_NOT_FOUND')
  })
})
