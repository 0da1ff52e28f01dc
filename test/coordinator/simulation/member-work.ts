// What a consumer does with the partitions that its membership gives it: it asks where to
// begin, reads on, and commits how far it has come. Before each step it looks at its thread's
// fence counter.

import { partitionKey } from '../../../src/coordinator/group/assignment.ts'
import { KAFKA_ERRORS } from '../../../src/errors.ts'
import { formatTopicId } from '../../../src/ids.ts'
import type { TopicId } from '../../../src/ids.ts'
import type { SimulatedLink } from './simulated-link.ts'
import { OFFSETS_A_TOPIC } from './simulated-topics.ts'
import type { Owner } from './ownership.ts'
import type { SimulationWorld } from './simulation-world.ts'

export interface HeldPartition {
  readonly topicId: TopicId
  readonly topicKey: string
  readonly partition: number
  /** The next record; undefined: not known yet. */
  position: number | undefined
  committed: number | undefined
}

/** Who commits; undefined: it may not. */
export interface Committer {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  /** Unless it says no: a classic member's fetches carry nobody. */
  readonly fetchesAsMember?: boolean
}

export interface MemberWorkOptions {
  readonly world: SimulationWorld
  readonly link: SimulatedLink
  readonly owner: Owner
  readonly committer: () => Committer | undefined
  /** It may be out of its group. */
  readonly verify: () => void
}

const { NONE, STALE_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID } = KAFKA_ERRORS
const LATE: ReadonlySet<number> = new Set<number>([STALE_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID])

export class MemberWork {
  readonly held = new Map<string, HeldPartition>()
  readonly #options: MemberWorkOptions
  #commit: { cancel(): void } | undefined
  #fetch: { cancel(): void } | undefined
  #isOver = false

  constructor(options: MemberWorkOptions) {
    this.#options = options
    this.#again()
  }

  /** By `partitionKey`. */
  give(topicId: TopicId, partition: number): void {
    const { world, owner } = this.#options
    const topicKey = formatTopicId(topicId)
    const key = partitionKey(topicKey, partition)
    if (this.held.has(key)) return
    this.held.set(key, { topicId, topicKey, partition, position: undefined, committed: undefined })
    world.ownership.give(owner, key)
  }

  drop(keys: Iterable<string>): void {
    const { world, owner } = this.#options
    for (const key of keys) {
      this.held.delete(key)
      world.ownership.drop(owner, key)
    }
  }

  /** They are others' already. */
  lose(): void {
    this.held.clear()
    this.#options.world.ownership.dropAll(this.#options.owner)
    this.#fetch?.cancel()
    this.#fetch = undefined
    this.#commit?.cancel()
    this.#commit = undefined
  }

  end(): void {
    this.lose()
    this.#isOver = true
  }

  /** What has been read since the last time. */
  commit(keys: Iterable<string> = this.held.keys()): void {
    const { world, link, owner, committer, verify } = this.#options
    const by = committer()
    if (by === undefined) return
    const partitions: HeldPartition[] = []
    for (const key of keys) {
      const held = this.held.get(key)
      if (held?.position !== undefined && held.position !== held.committed) partitions.push(held)
    }
    if (partitions.length === 0) return
    // A commit that is under way says nothing that this one does not say later.
    this.#commit?.cancel()
    const asked = partitions.map(({ position }) => position!)
    const commit = link.ask({
      api: 'offsetCommit',
      request: {
        groupId: owner.groupId,
        generationIdOrMemberEpoch: by.epoch,
        memberId: by.memberId,
        groupInstanceId: by.instanceId,
        retentionTimeMs: -1,
        topics: partitions.map(({ topicId, partition, position }) => ({
          name: '',
          topicId,
          partitions: [{ partitionIndex: partition, committedOffset: position!, committedLeaderEpoch: -1, committedMetadata: null }],
        })),
      },
      heard: ({ topics }) => {
        if (this.#commit === commit) this.#commit = undefined
        for (const [i, topic] of topics.entries()) {
          const { errorCode } = topic.partitions[0]!
          if (errorCode === ILLEGAL_GENERATION) world.saw('a commit of an old generation was refused')
          if (errorCode === NONE) partitions[i]!.committed = asked[i]
          else if (LATE.has(errorCode)) {
            world.saw('a late commit was refused')
            return verify()
          }
        }
      },
      unheard: () => {
        if (this.#commit === commit) this.#commit = undefined
      },
    })
    this.#commit = commit
  }

  #again(): void {
    const { world, owner } = this.#options
    const ms = (0.5 + world.random.fraction()) * world.swarm.workMs
    owner.thread.after(ms, () => {
      if (this.#isOver) return
      this.#work()
      this.#again()
    })
  }

  #work(): void {
    const { world, owner, verify } = this.#options
    if (this.held.size === 0) return
    if (owner.fencesSeen !== owner.thread.fenceCount) {
      world.saw('a fence was seen before anything was handed out')
      return verify()
    }
    let isUnknown = false
    for (const held of this.held.values()) {
      if (held.position === undefined) isUnknown = true
      else held.position += world.random.below(3)
    }
    if (isUnknown) this.#fetchPositions()
    if (world.random.below(3) === 0) this.commit()
  }

  #fetchPositions(): void {
    const { world, link, owner, committer, verify } = this.#options
    const by = committer()
    if (by === undefined || this.#fetch !== undefined) return
    const partitions = [...this.held.values()].filter(({ position }) => position === undefined)
    const fetcher = by.fetchesAsMember === false ? { memberId: null, memberEpoch: -1 } : { memberId: by.memberId, memberEpoch: by.epoch }
    const topics = partitions.map(({ topicId, partition }) => ({ name: '', topicId, partitionIndexes: [partition] }))
    const fetch = link.ask({
      api: 'offsetFetch',
      request: {
        groupId: '',
        topics: null,
        groups: [{ groupId: owner.groupId, ...fetcher, topics }],
        requireStable: true,
      },
      heard: ({ groups }) => {
        this.#fetch = undefined
        const { errorCode, topics: found } = groups[0]!
        if (errorCode !== NONE) {
          if (LATE.has(errorCode)) verify()
          return
        }
        for (const [
          i,
          {
            partitions: [answered],
          },
        ] of found.entries()) {
          if (answered!.errorCode === NONE) this.#begin(partitions[i]!, answered!.committedOffset)
        }
        world.note(owner.name, 'knows where to begin')
      },
      unheard: () => (this.#fetch = undefined),
    })
    this.#fetch = fetch
  }

  #begin(held: HeldPartition, committed: number): void {
    const { world, owner } = this.#options
    const base = world.topics.baseOf(held.topicKey)
    // It may have been given up, and given again, since.
    if (this.held.get(partitionKey(held.topicKey, held.partition)) !== held) return
    if (committed >= 0 && (committed < base || committed >= base + OFFSETS_A_TOPIC)) {
      world.violate(
        `${owner.name} is given offset ${committed} of another topic for ${held.topicKey}:${held.partition}, which begins at ${base}`,
      )
    }
    held.position = committed < 0 ? base : committed
    if (committed >= 0) held.committed = committed
  }
}
