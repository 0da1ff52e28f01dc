// The partitions that are a consumer's at this moment, and how they come and go: positions,
// commits, its user's callbacks, and the loops that read them. Runs on its user's thread.
// Holds: callbacks run one after the other, whatever happens meanwhile; what was lost while
// its user was still to be told that it comes, nobody is told of; where commits are automatic,
// what is settled when `onRevoked` is told is committed, unless the coordinator has refused it.

import { assert } from '../../assert.ts'
import { MillraceError } from '../../errors.ts'
import type { ErrorName } from '../../errors.ts'
import type { BoundTopic } from '../topic.ts'
import type { FilledConsumerOptions, RebalanceCallback } from './consumer-config.ts'
import type { GroupReading } from './group-reading.ts'
import { warnOnce } from './group-warnings.ts'
import { groupPartitionKey } from './membership-requests.ts'
import type { GroupPartition } from './membership-requests.ts'
import type { OffsetCommits } from './offset-commits.ts'
import { OwnedPartition } from './owned-partition.ts'
import type { PartitionFetchers } from './partition-fetchers.ts'

export interface OwnedPartitionsOptions {
  readonly groupId: string
  readonly consumer: FilledConsumerOptions
  readonly fetchers: PartitionFetchers
  readonly commits: () => OffsetCommits
  readonly commit: (partition: OwnedPartition, offset: number) => Promise<void>
  /** The loop that reads the partition's topic; undefined: none, or it is not known on this thread. */
  readonly readerOf: (partition: GroupPartition) => { readonly topic: BoundTopic; readonly reading: GroupReading } | undefined
  /** Ends all loops. */
  readonly fail: (error: Error) => void
}

export class OwnedPartitions {
  readonly #options: OwnedPartitionsOptions
  readonly #owned = new Map<string, OwnedPartition>()
  #callbacks: Promise<void> = Promise.resolve()

  constructor(options: OwnedPartitionsOptions) {
    this.#options = options
  }

  get(key: string): OwnedPartition | undefined {
    return this.#owned.get(key)
  }

  all(): OwnedPartition[] {
    return [...this.#owned.values()]
  }

  /** It is this consumer's from now on; its position is the fetcher's. */
  own(topic: BoundTopic, partition: number, reader: GroupReading): OwnedPartition {
    const { fetchers, commit } = this.#options
    const owned = new OwnedPartition({ topic, fetcher: fetchers.of(topic, partition), reader, commit })
    this.#owned.set(keyOf(owned), owned)
    return owned
  }

  /** Resolves when they are read. */
  async assign(partitions: readonly GroupPartition[]): Promise<void> {
    const { consumer, commits, fail } = this.#options
    const coming = partitions.map((partition) => this.#ownAssigned(partition)).filter((each) => each !== undefined)
    const stillComing = (): OwnedPartition[] => coming.filter(({ state }) => state === 'coming')
    try {
      await this.position(coming, 'member')
    } catch (error) {
      // One that is out of its group by now hears of that.
      if (stillComing().length > 0) fail(error as Error)
      return
    }
    await this.#tell(consumer.onAssigned, () => {
      const told = stillComing()
      for (const partition of told) partition.isTold = true
      return told
    })
    for (const partition of stillComing()) {
      partition.state = 'reading'
      partition.reader.add(partition)
    }
    // Where the group has committed nothing, it soon has where reading began.
    commits().noteSettled()
  }

  /** Their positions are where the group has committed; where it has not, as `autoOffsetReset` says. Rejects as `fetch`. */
  async position(coming: readonly OwnedPartition[], by: 'member' | 'anybody'): Promise<void> {
    const waiting = coming.map(({ fetcher }) => fetcher.awaitCommitted())
    const committed = await this.#options.commits().fetch(coming, by)
    for (const [i, partition] of coming.entries()) {
      if (partition.state === 'gone') continue
      partition.committedOffset = committed[i]?.offset
      partition.committedMetadata = committed[i]?.metadata ?? ''
      waiting[i]!(committed[i]?.offset)
    }
  }

  /** Resolves when they are read no more, and what is settled is committed. */
  async revoke(partitions: readonly GroupPartition[]): Promise<void> {
    const { consumer, groupId } = this.#options
    const going = this.#find(partitions)
    for (const partition of going) partition.state = 'going'
    await Promise.all(going.map((partition) => Promise.race([partition.reader.letGo(partition), partition.whenGone])))
    const stillOurs = (): OwnedPartition[] => going.filter(({ state }) => state === 'going')
    // One that fails is made again when it is its user's turn to be told, as is what was settled until then.
    await this.#commitGoing(stillOurs).catch(() => undefined)
    await this.#tell(
      consumer.onRevoked,
      () => toldOf(stillOurs()),
      () =>
        this.#commitGoing(stillOurs).catch((error: unknown) => {
          // What is not committed now is read again by whoever comes.
          if (stillOurs().length > 0 && !isEnd(error)) warnOnce('not committed', groupId, error)
        }),
    )
    this.forget(going)
  }

  /** Resolves when their user was told. */
  async lose(partitions: readonly GroupPartition[]): Promise<void> {
    const lost = this.#find(partitions)
    this.forget(lost)
    await this.#tell(this.#options.consumer.onLost, () => toldOf(lost))
  }

  /** They are this consumer's no more. */
  forget(partitions: readonly OwnedPartition[]): void {
    for (const partition of partitions) {
      const key = keyOf(partition)
      if (this.#owned.get(key) === partition) this.#owned.delete(key)
      partition.gone()
    }
  }

  /** Where commits are automatic. A batch that was in hand when its loop ended may be settled while a commit is under way: it goes too. */
  async #commitGoing(stillOurs: () => OwnedPartition[]): Promise<void> {
    const commits = this.#options.commits()
    if (!commits.isAutomatic) return
    let going = stillOurs()
    do {
      const seen = new Map(going.map((partition) => [partition, partition.position]))
      await commits.commitSettled(going)
      going = stillOurs().filter((partition) => partition.hasNews && partition.position !== seen.get(partition))
    } while (going.length > 0)
  }

  #ownAssigned(partition: GroupPartition): OwnedPartition | undefined {
    const found = this.#options.readerOf(partition)
    if (found === undefined) return undefined
    assert(!this.#owned.has(groupPartitionKey(partition)), 'a partition is taken once, until it has gone')
    const owned = this.own(found.topic, partition.partition, found.reading)
    // What was paused was another assignment of it.
    owned.fetcher.paused = false
    return owned
  }

  #find(partitions: readonly GroupPartition[]): OwnedPartition[] {
    return partitions.map((partition) => this.#owned.get(groupPartitionKey(partition))).filter((each) => each !== undefined)
  }

  /** What a callback throws ends the loops. `before`: what is to be done when its turn has come. */
  #tell(callback: RebalanceCallback | undefined, about: () => readonly OwnedPartition[], before?: () => Promise<void>): Promise<void> {
    const told = this.#callbacks.then(async () => {
      if (before !== undefined) await before()
      const partitions = about()
      if (callback === undefined || partitions.length === 0) return
      await callback(partitions.map(({ name, partition }) => ({ topic: name, partition })))
    })
    this.#callbacks = told.catch((error: unknown) => this.#options.fail(error as Error))
    return this.#callbacks
  }
}

function keyOf({ topic, partition }: OwnedPartition): string {
  return groupPartitionKey({ topicId: topic.topicIdWords, partition })
}

/** There is nothing left to commit, or nobody to commit to. */
function isEnd(error: unknown): boolean {
  const ends: readonly ErrorName[] = ['CLOSED', 'UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION']
  return error instanceof MillraceError && ends.includes(error.code)
}

function toldOf(partitions: readonly OwnedPartition[]): OwnedPartition[] {
  return partitions.filter(({ isTold }) => isTold)
}
