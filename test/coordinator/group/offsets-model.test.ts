// Random work on committed offsets, held against a plain model that keeps a whole copy for
// every snapshot: what is read is what was committed, whatever ran ahead of it or was taken back.

import { expect, test } from 'vitest'
import { LATEST } from '../../../src/coordinator/timeline.ts'
import { formatTopicId } from '../../../src/ids.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { DAY_MS, OffsetsWorld, RETENTION_MS, StagedGroup } from './offsets-world.ts'

const GROUPS = ['a', 'b', 'held']
const TOPICS = ['clicks', 'views']
const PARTITIONS = 3
/** As often as they are to be done. */
const ACTIONS = (
  [
    ['commit', 16],
    ['settle', 8],
    ['deleteOffsets', 2],
    ['deleteGroup', 2],
    ['expire', 4],
    ['deleteTopic', 2],
    ['revert', 2],
    ['reload', 1],
  ] as const
).flatMap(([action, times]) => Array<typeof action>(times).fill(action))

interface ModelOffset {
  readonly offset: number
  readonly commitMs: number
  readonly topicId: string
}

interface Model {
  readonly groups: Set<string>
  /** By group, then `topic-partition`. */
  readonly offsets: Map<string, Map<string, ModelOffset>>
}

function copy({ groups, offsets }: Model): Model {
  return { groups: new Set(groups), offsets: new Map([...offsets].map(([group, of]) => [group, new Map(of)])) }
}

class OffsetsRun {
  world = this.#newWorld()
  model: Model = { groups: new Set(['held']), offsets: new Map() }
  /** By the length of the log. */
  copies = new Map<number, Model>([[0, copy(this.model)]])
  nextTopicId = 1_000
  readonly random: Random
  readonly done = new Map<string, number>()

  constructor(seed: number) {
    this.random = seededRandom(seed)
    for (const topic of TOPICS) this.world.metadata.create(topic, PARTITIONS, {}, this.nextTopicId++)
  }

  /** A group whose members read clicks stands before the log begins. */
  #newWorld(): OffsetsWorld {
    const held = new StagedGroup('held')
    held.topics.add('clicks')
    return new OffsetsWorld([held])
  }

  step(): void {
    const action = this.#oneOf(ACTIONS)
    this.done.set(action, (this.done.get(action) ?? 0) + 1)
    this[action]()
    this.copies.set(this.world.log.length, copy(this.model))
    this.check()
  }

  commit(): void {
    const groupId = this.#oneOf(GROUPS)
    const offsets: Record<string, number> = {}
    for (let i = 0; i <= this.random.below(3); i++) offsets[this.#partition()] = this.random.below(1_000)
    this.world.commit(groupId, offsets)
    this.model.groups.add(groupId)
    for (const [key, offset] of Object.entries(offsets)) {
      this.#of(groupId).set(key, { offset, commitMs: this.world.wallMs, topicId: this.#topicId(key) })
    }
  }

  /** The watermark comes to some snapshot that is not committed yet, and time goes on. */
  settle(): void {
    const open = [...this.copies.keys()].filter((epoch) => epoch >= this.world.committed)
    this.world.committed = this.#oneOf(open)
    this.world.registry.deleteBelow(this.world.committed)
    for (const epoch of this.copies.keys()) if (epoch < this.world.committed) this.copies.delete(epoch)
    this.world.wallMs += this.random.below(DAY_MS)
  }

  deleteOffsets(): void {
    const groupId = this.#oneOf(GROUPS)
    const key = this.#partition()
    const [name, index] = key.split('-') as [string, string]
    const topics = [{ name, partitions: [{ partitionIndex: Number(index) }] }]
    this.world.take(this.world.deletes.delete(this.world.requestId, { groupId, topics }))
    if (groupId !== 'held' || name !== 'clicks') this.#of(groupId).delete(key)
  }

  deleteGroup(): void {
    const groupId = this.#oneOf(GROUPS)
    this.world.take(this.world.admin.delete(this.world.requestId, { groupsNames: [groupId] }))
    if (groupId === 'held') return
    this.model.groups.delete(groupId)
    this.model.offsets.delete(groupId)
  }

  expire(): void {
    this.world.wallMs += this.random.below(2 * DAY_MS)
    this.world.expire()
    for (const groupId of [...this.model.groups]) {
      for (const [key, { commitMs }] of this.#of(groupId)) {
        const isHeld = groupId === 'held' && key.startsWith('clicks-')
        if (!isHeld && this.world.wallMs - commitMs >= RETENTION_MS) this.#of(groupId).delete(key)
      }
      if (groupId !== 'held' && this.#of(groupId).size === 0) this.model.groups.delete(groupId)
    }
  }

  /** And makes it again, with another id. */
  deleteTopic(): void {
    const topic = this.#oneOf(TOPICS)
    this.world.deleteTopic(topic)
    this.world.metadata.create(topic, PARTITIONS, {}, this.nextTopicId++)
    for (const of of this.model.offsets.values()) for (const key of of.keys()) if (key.startsWith(`${topic}-`)) of.delete(key)
  }

  /** What is not committed will never be. */
  revert(): void {
    const epochs = [...this.copies.keys()].filter((epoch) => epoch >= this.world.committed)
    const to = this.#oneOf(epochs)
    this.world.registry.revertTo(to)
    this.world.log.length = to
    this.model = copy(this.copies.get(to)!)
    for (const epoch of this.copies.keys()) if (epoch > to) this.copies.delete(epoch)
  }

  /** Another broker leads the partition: it has read the log, all of which is committed. */
  reload(): void {
    const next = this.#newWorld()
    next.metadata.apply(this.world.metadata.records.slice(next.metadata.records.length))
    next.wallMs = this.world.wallMs
    next.take({ records: this.world.log })
    next.commitLog()
    this.world = next
    this.copies.clear()
  }

  check(): void {
    const { world, copies, model } = this
    const committed = copies.get(world.committed)!
    for (const groupId of GROUPS) {
      expect(world.all(groupId)).toEqual(this.#counted(committed, groupId))
      const recorded = [...(world.offsets.ofGroup(groupId)?.entries() ?? [])].flatMap(([topic, of]) =>
        [...of.entries()].map(([index, { offset, commitTimeMs }]) => [`${topic}-${index}`, offset, commitTimeMs]),
      )
      const expected = [...(model.offsets.get(groupId) ?? [])].map(([key, { offset, commitMs }]) => [key, offset, commitMs])
      expect(recorded.sort()).toEqual(expected.sort())
      for (const of of world.offsets.ofGroup(groupId)?.values() ?? []) expect(of.size()).toBeGreaterThan(0)
    }
    const key = this.#partition()
    const groupId = this.#oneOf(GROUPS)
    expect(world.fetch(groupId, [key]).topics[0]!.partitions[0]!.committedOffset).toBe(this.#counted(committed, groupId)[key] ?? -1)
    expect([...world.groups.keys(world.committed)].sort()).toEqual([...committed.groups].sort())
    expect([...world.groups.keys(LATEST)].sort()).toEqual([...model.groups].sort())
  }

  /** Those of the topic that has the name now. */
  #counted({ offsets }: Model, groupId: string): Record<string, number> {
    const counted = [...(offsets.get(groupId) ?? [])].filter(([key, { topicId }]) => topicId === this.#topicId(key))
    return Object.fromEntries(counted.map(([key, { offset }]) => [key, offset]))
  }

  #of(groupId: string): Map<string, ModelOffset> {
    let of = this.model.offsets.get(groupId)
    if (of === undefined) this.model.offsets.set(groupId, (of = new Map()))
    return of
  }

  #topicId(key: string): string {
    return formatTopicId(this.world.topicId(key.split('-')[0]!))
  }

  #partition(): string {
    return `${this.#oneOf(TOPICS)}-${this.random.below(PARTITIONS)}`
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[this.random.below(all.length)]!
  }
}

test.each(Array.from({ length: 30 }, (_, seed) => seed))('committed offsets are as a plain model has them, seed %i', (seed) => {
  const run = new OffsetsRun(seed)
  for (let step = 0; step < 400; step++) run.step()
  for (const action of ACTIONS) expect(run.done.get(action), action).toBeGreaterThan(1)
})
