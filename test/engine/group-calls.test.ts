// The way to the coordinator of a group, with real broker threads: what one member says another hears of,
// through deaths of members and of brokers, and over the closing of a data directory.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { coordinatorPartition } from '../../src/coordinator/group/coordinator-partition.ts'
import { EmbeddedEngine } from '../../src/engine/embedded-engine.ts'
import type { GroupCallOptions } from '../../src/engine/group-calls.ts'
import { KAFKA_ERRORS } from '../../src/errors.ts'
import type { ConsumerGroupHeartbeatResponse } from '../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import { FaultyMillrace } from '../faults/faulty-millrace.ts'
import type { FaultyOptions } from '../faults/faulty-millrace.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(options: FaultyOptions = {}): Promise<FaultyMillrace> {
  const millrace = await FaultyMillrace.open(options)
  closers.push(() => millrace.close())
  return millrace
}

/** Another thread, as far as brokers can tell. */
async function attach({ cluster }: FaultyMillrace): Promise<EmbeddedEngine> {
  const engine = await EmbeddedEngine.attach(cluster.address, { clock: systemClock })
  closers.push(() => engine.close())
  return engine
}

async function dataDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-groups-'))
  closers.push(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A member of group 'mail' that is subscribed to 'clicks', moved by hand. */
class Member {
  readonly engine: EmbeddedEngine
  readonly memberId: string
  epoch = 0
  owned: number[] = []

  constructor(engine: EmbeddedEngine, memberId: string) {
    this.engine = engine
    this.memberId = memberId
  }

  /** One heartbeat; what it is told to have, it has at once. */
  async beat(options: GroupCallOptions = {}): Promise<ConsumerGroupHeartbeatResponse> {
    const joins = this.epoch === 0
    const topicId = this.engine.metadata.topic('clicks')!.topicId
    const response = await this.engine.groups.ask(
      'consumerGroupHeartbeat',
      'mail',
      {
        groupId: 'mail',
        memberId: this.memberId,
        memberEpoch: this.epoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: joins ? 300_000 : -1,
        subscribedTopicNames: joins ? ['clicks'] : null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: joins ? [] : [{ topicId, partitions: this.owned }],
      },
      options,
    )
    if (response.errorCode === 0) this.epoch = response.memberEpoch
    if (response.assignment !== null) this.owned = response.assignment.topicPartitions.flatMap(({ partitions }) => partitions)
    return response
  }

  async leave(): Promise<void> {
    this.epoch = -1
    await this.beat()
  }

  commit(offset: number, partition = 0): Promise<number> {
    return this.engine.groups
      .ask('offsetCommit', 'mail', {
        groupId: 'mail',
        generationIdOrMemberEpoch: this.epoch,
        memberId: this.memberId,
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [
          {
            name: 'clicks',
            topicId: this.engine.metadata.topic('clicks')!.topicId,
            partitions: [{ partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' }],
          },
        ],
      })
      .then(({ topics }) => topics[0]!.partitions[0]!.errorCode)
  }
}

async function committed(engine: EmbeddedEngine, partition = 0): Promise<number> {
  const { name, topicId } = engine.metadata.topic('clicks')!
  const response = await engine.groups.ask('offsetFetch', 'mail', {
    groupId: '',
    topics: null,
    groups: [{ groupId: 'mail', memberId: null, memberEpoch: -1, topics: [{ name, topicId, partitionIndexes: [partition] }] }],
    requireStable: true,
  })
  return response.groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

/** Both beat until they have shared the partitions. */
async function settle(...members: Member[]): Promise<void> {
  const shared = (): number => members.reduce((sum, { owned }) => sum + owned.length, 0)
  do for (const member of members) await member.beat()
  while (shared() !== 4 || members.some(({ owned }) => owned.length === 0))
}

describe('groups', () => {
  test('two members share the partitions, and a third that dies gives his back at once', async () => {
    const millrace = await open()
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    await a.beat()
    expect(a.owned).toEqual([0, 1, 2, 3])
    const thread = await attach(millrace)
    const b = new Member(thread, 'b')
    await settle(a, b)
    expect([...a.owned, ...b.owned].sort()).toEqual([0, 1, 2, 3])
    // Held back until there is news, for longer than this test would wait.
    const news = a.beat({ holdMs: 600_000 })
    thread.close()
    const { assignment, memberEpoch } = await news
    expect([assignment === null, memberEpoch > 0, a.owned]).toEqual([false, true, [0, 1, 2, 3]])
  })

  test('one that beats again is answered at once, and its earlier beat too', async () => {
    const millrace = await open()
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    await a.beat()
    await a.beat()
    const held = a.beat({ holdMs: 600_000 })
    await a.beat()
    expect((await held).assignment).toBeNull()
  })

  test('a member that has left or is unknown is told so, and commits nothing', async () => {
    const millrace = await open()
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const [a, b] = [new Member(millrace.engine, 'a'), new Member(millrace.engine, 'b')]
    await settle(a, b)
    expect(await a.commit(10)).toBe(0)
    expect(await committed(millrace.engine)).toBe(10)
    const { epoch } = a
    await a.leave()
    a.epoch = epoch
    expect(await a.commit(20)).toBe(KAFKA_ERRORS.UNKNOWN_MEMBER_ID)
    expect((await a.beat()).errorCode).toBe(KAFKA_ERRORS.UNKNOWN_MEMBER_ID)
    b.epoch--
    expect(await b.commit(30)).toBe(KAFKA_ERRORS.STALE_MEMBER_EPOCH)
    expect(await committed(millrace.engine)).toBe(10)
  })

  test('the broker of the coordinator dies: the next one knows members, epochs and offsets', async () => {
    const millrace = await open({ brokers: 3 })
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    const b = new Member(await attach(millrace), 'b')
    await settle(a, b)
    expect(await a.commit(7, a.owned[0])).toBe(0)
    const held = b.beat({ holdMs: 600_000 })
    const { slot } = millrace.engine.metadata.topic('__consumer_offsets')!.partitions[coordinatorPartition('mail', 50)]!
    const broker = millrace.engine.controlBlock(slot).leaderBroker
    await millrace.cluster.terminateBroker(broker)
    await a.beat()
    expect(millrace.engine.controlBlock(slot).leaderBroker).not.toBe(broker)
    expect(await a.commit(8, a.owned[0])).toBe(0)
    expect(await committed(millrace.engine, a.owned[0])).toBe(8)
    // The beat that was held where the coordinator was is held where it is now: it hears of what happens there.
    const owned = [...a.owned, ...b.owned].sort()
    await a.leave()
    await held
    while (b.owned.length < 4) await b.beat()
    expect([owned, b.owned]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ])
  })

  test('a beat that may not be made again is not, when the broker that holds it dies: whoever sent it says everything', async () => {
    const millrace = await open({ brokers: 3 })
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    await a.beat()
    await a.beat()
    const held = expect(a.beat({ holdMs: 600_000, mayRepeat: false })).rejects.toMatchObject({
      code: 'COORDINATOR_NOT_AVAILABLE',
      retriable: true,
    })
    // Behind the one that is held, on the same way.
    expect(await a.commit(1)).toBe(0)
    const { slot } = millrace.engine.metadata.topic('__consumer_offsets')!.partitions[coordinatorPartition('mail', 50)]!
    await millrace.cluster.terminateBroker(millrace.engine.controlBlock(slot).leaderBroker)
    await held
    expect((await a.beat()).errorCode).toBe(0)
  })

  test('a thread that ends while the coordinator moves is not waited for', async () => {
    const millrace = await open({ brokers: 3 })
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    const thread = await attach(millrace)
    const b = new Member(thread, 'b')
    await settle(a, b)
    const { slot } = millrace.engine.metadata.topic('__consumer_offsets')!.partitions[coordinatorPartition('mail', 50)]!
    const broker = millrace.engine.controlBlock(slot).leaderBroker
    thread.close()
    await millrace.cluster.terminateBroker(broker)
    while (a.owned.length < 4) await a.beat()
    expect(a.owned).toEqual([0, 1, 2, 3])
  })

  test('with files, a group goes on where it was when the directory is opened again; its members of before are gone', async () => {
    const dataDir = await dataDirectory()
    const before = await FaultyMillrace.open({ dataDir })
    await before.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(before.engine, 'a')
    await a.beat()
    for (let offset = 1; offset <= 100; offset++) expect(await a.commit(offset, offset % 4)).toBe(0)
    await before.close()
    const millrace = await open({ dataDir })
    expect(await Promise.all([0, 1, 2, 3].map((partition) => committed(millrace.engine, partition)))).toEqual([100, 97, 98, 99])
    const b = new Member(millrace.engine, 'b')
    await b.beat()
    expect(b.owned).toEqual([0, 1, 2, 3])
  })

  test('an offset of a topic that was deleted and made again counts as none', async () => {
    const millrace = await open()
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    const a = new Member(millrace.engine, 'a')
    await a.beat()
    expect(await a.commit(5)).toBe(0)
    await millrace.engine.deleteTopic({ name: 'clicks' })
    await millrace.engine.createTopic({ name: 'clicks', partitions: 4, config: {} })
    expect(await committed(millrace.engine)).toBe(-1)
  })
})
