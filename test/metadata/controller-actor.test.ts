// The controller's shell with a broker whose every answer the test gives: what happens
// between two of its looks at the world happens there and nowhere else.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { ControllerActor } from '../../src/metadata/controller-actor.ts'
import type { ControllerMessage } from '../../src/metadata/controller-messages.ts'
import { FIRST_TOPIC_SLOT } from '../../src/metadata/metadata-records.ts'
import { seededRandom } from '../../src/random.ts'
import { MetadataLogFixture } from './metadata-log-fixture.ts'
import { uuid } from './metadata-world.ts'

type Ask<T> = (reply: { resolve: (value: T) => void; reject: (error: unknown) => void }) => ControllerMessage

/** Rows for topics. */
const ROWS = 3

class ControllerWorld {
  readonly clock = new VirtualClock()
  readonly fixture = new MetadataLogFixture()
  /** By broker: how far it has read. */
  readonly metadataOffsets = new Map<number, number>()
  /** Rows that a topic has, or had. */
  readonly used = new Set<number>()
  /** Called before each look at a row. */
  onLook: (slot: number) => void = () => undefined
  readonly actor: ControllerActor

  constructor() {
    const { loader } = this.fixture
    this.actor = new ControllerActor(this.fixture.log, {
      clock: this.clock,
      random: seededRandom(1),
      clusterId: undefined,
      metadata: loader,
      partitionsMax: FIRST_TOPIC_SLOT + ROWS,
      slotsHigh: () => FIRST_TOPIC_SLOT + ROWS,
      follow: () => void loader.load(),
      initialisePartition: (_, { slot }) => void this.used.add(slot),
      isAlive: () => true,
      adoptMemory: () => undefined,
      metadataOffsetOf: (brokerId) => this.metadataOffsets.get(brokerId) ?? 0,
      dropDeleted: () => undefined,
      isFree: (slot, mayRelease) => {
        this.onLook(slot)
        if (mayRelease) this.used.delete(slot)
        return !this.used.has(slot)
      },
    })
  }

  async start(brokers: number): Promise<void> {
    await this.actor.onStart()
    await this.ask<void>((reply) => ({ type: 'takeOver', reply }))
    for (let brokerId = 0; brokerId < brokers; brokerId++) {
      const registration = { brokerId, incarnation: 1, incarnationId: uuid(1) }
      await this.ask<void>((reply) => ({ type: 'registerBroker', registration, reply }))
      this.reads(brokerId)
    }
  }

  /** A broker has read all that is committed now, and let go of what it must. */
  reads(brokerId: number): void {
    this.metadataOffsets.set(brokerId, this.fixture.control.highWatermark)
  }

  /** What the controller answers; time goes on, a millisecond a turn, until it does. */
  async ask<T>(message: Ask<T>): Promise<T> {
    let isAnswered = false
    const answer = new Promise<T>((resolve, reject) => {
      void this.actor.receive(message({ resolve, reject }))
    }).finally(() => (isAnswered = true))
    answer.catch(() => undefined)
    for (await nextTurn(); !isAnswered; await nextTurn()) this.clock.advance(1)
    return answer
  }

  create(name: string, partitions: number): Promise<unknown> {
    return this.ask((reply) => ({ type: 'createTopic', command: { name, partitions, config: {} }, reply }))
  }

  async delete(name: string): Promise<void> {
    await this.ask((reply) => ({ type: 'deleteTopic', command: { name }, reply }))
  }

  slotsOf(name: string): number[] {
    return this.fixture.loader.image.topic(name)!.partitions.map(({ slot }) => slot - FIRST_TOPIC_SLOT)
  }
}

describe('the rows of a deleted topic', () => {
  let world: ControllerWorld

  beforeEach(async () => {
    world = new ControllerWorld()
    await world.start(2)
    await world.create('kept', 1)
    await world.create('old', 2)
    await world.delete('old')
    world.reads(0)
  })

  test('are given again when every broker has let go of them', async () => {
    world.reads(1)
    const startMs = world.clock.monotonicMs()
    await world.create('new', 2)
    expect(world.slotsOf('new')).toEqual([1, 2])
    expect(world.clock.monotonicMs()).toBe(startMs)
  })

  test.each([1, 2])('are waited for when the last broker lets go while row %i is looked at', async (row) => {
    let looks = 0
    world.onLook = (slot) => {
      if (slot === FIRST_TOPIC_SLOT + row && looks++ === 0) world.reads(1)
    }
    await world.create('new', 2)
    expect(looks).toBeGreaterThan(1)
    expect(world.slotsOf('new')).toEqual([1, 2])
  })

  test('and for partitions that are added', async () => {
    let looks = 0
    world.onLook = () => {
      if (looks++ === 1) world.reads(1)
    }
    await world.ask((reply) => ({ type: 'createPartitions', command: { name: 'kept', partitions: 3 }, reply }))
    expect(world.slotsOf('kept')).toEqual([0, 1, 2])
  })

  test('a broker that stands still holds them up for a second, and no longer', async () => {
    const startMs = world.clock.monotonicMs()
    await expect(world.create('new', 2)).rejects.toMatchObject({
      code: 'INVALID_PARTITIONS',
      message: expect.stringContaining('raise partitionsMax') as string,
    })
    expect(world.clock.monotonicMs() - startMs).toBe(1_000)
  })

  test('when all have let go, a topic that has no room is refused at once', async () => {
    world.reads(1)
    const startMs = world.clock.monotonicMs()
    await expect(world.create('new', 3)).rejects.toMatchObject({ code: 'INVALID_PARTITIONS' })
    expect(world.clock.monotonicMs()).toBe(startMs)
  })
})
