// Calls to the coordinator of a group: whoever leads the group's partition of
// `__consumer_offsets`, through changes of leader. Runs on the attached thread.
// Holds: every call ends, at the latest with REQUEST_TIMED_OUT. One that is made again may
// have been done before: each of Kafka's group requests may be repeated.

import type { Bells } from '../bells.ts'
import type { Clock } from '../clock.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { GROUP_SETTINGS } from '../config/broker-group-settings.ts'
import { coordinatorPartition } from '../coordinator/group/coordinator-partition.ts'
import type { GroupApi, GroupRequestOf, GroupResponseOf } from '../coordinator/group/group-requests.ts'
import { OFFSETS_TOPIC } from '../coordinator/group/offsets-topic.ts'
import { MillraceError } from '../errors.ts'
import type { ErrorName } from '../errors.ts'
import type { ThreadId } from '../ids.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { CreateTopicCommand } from '../metadata/controller-commands.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/metadata-image.ts'
import type { TopicDescription } from '../metadata/topic-description.ts'
import type { LeaderCalls } from './leader-calls.ts'

/** What these calls need of their thread's engine. */
export interface GroupsEngine {
  readonly clock: Clock
  readonly threadId: ThreadId
  readonly bells: Bells
  readonly brokerConfig: Readonly<Partial<BrokerConfig>>
  readonly metadata: MetadataImage
  controlBlock(slot: number): ControlBlock
  createTopic(command: CreateTopicCommand, signal?: AbortSignal): Promise<TopicDescription>
}

export interface GroupCallOptions {
  readonly signal?: AbortSignal | undefined
  /** Of a member's heartbeat, in ms: the coordinator may hold its answer back so long, until it says something new. */
  readonly holdMs?: number | undefined
  /** As members and describeGroups show it. */
  readonly clientId?: string | undefined
  /** False: waiting for the answer does not keep the process alive. */
  readonly hold?: boolean
  /**
   * False: a call that was under way when its coordinator moved, and may have been done, is not made again as it was: it rejects with
   * COORDINATOR_NOT_AVAILABLE. For a heartbeat that says only who it is: made again, it would not be told what the lost answer told.
   */
  readonly mayRepeat?: boolean
}

/** The coordinator is there, and is not ready: it is asked again in a moment. */
const NOT_READY: ReadonlySet<ErrorName> = new Set<ErrorName>(['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE'])
const ASK_AGAIN_MS = 2

/** Nobody knows whether the one that was asked has done it. */
const IN_DOUBT: ReadonlySet<ErrorName> = new Set<ErrorName>(['THREAD_DIED', 'ACTOR_FAILED', 'NOT_COORDINATOR', 'NOT_LEADER_OR_FOLLOWER'])

export class GroupCalls {
  readonly #engine: GroupsEngine
  readonly #leaders: LeaderCalls

  constructor(engine: GroupsEngine, leaders: LeaderCalls) {
    this.#engine = engine
    this.#leaders = leaders
  }

  /** Goes up when a member on this thread was put out of its group: compare before anything more is handed out. */
  fenceCount(): number {
    return this.#engine.bells.fenceCount(this.#engine.threadId)
  }

  /** The word that `fenceCount` reads. */
  get fenceWord(): { readonly words: Int32Array; readonly at: number } {
    const { bells, threadId } = this.#engine
    return { words: bells.words, at: bells.fencesAt(threadId) }
  }

  /**
   * Asks the coordinator of the group; makes `__consumer_offsets` when there is none yet. Rejects with REQUEST_TIMED_OUT, ABORTED,
   * CLOSED.
   */
  async ask<Api extends GroupApi>(
    api: Api,
    groupId: string,
    request: GroupRequestOf<Api>,
    options: GroupCallOptions = {},
  ): Promise<GroupResponseOf<Api>> {
    const topic = this.#topic ?? (await this.#createTopic(options.signal))
    return this.askPartition(api, topic.partitions[coordinatorPartition(groupId, topic.partitions.length)]!, request, options)
  }

  /** The partitions of `__consumer_offsets`: none before the first group. */
  get partitions(): readonly PartitionImage[] {
    return this.#topic?.partitions ?? []
  }

  /** As `ask`, of a coordinator by its partition: for what is asked of all. */
  askPartition<Api extends GroupApi>(
    api: Api,
    { slot, partitionId }: PartitionImage,
    request: GroupRequestOf<Api>,
    { signal, holdMs, clientId = '', hold = true, mayRepeat = true }: GroupCallOptions = {},
  ): Promise<GroupResponseOf<Api>> {
    const { topicId } = this.#topic!
    const control = this.#engine.controlBlock(slot)
    const who = `coordinator of groups on ${OFFSETS_TOPIC}-${partitionId}`
    return this.#leaders.ask(
      control,
      who,
      async (leader) => {
        for (;;) {
          try {
            return (await leader.askGroup({ slot, topicId, api, request, clientId, holdMs })) as GroupResponseOf<Api>
          } catch (error) {
            if (!(error instanceof MillraceError)) throw error
            if (!mayRepeat && IN_DOUBT.has(error.code)) {
              throw new MillraceError('COORDINATOR_NOT_AVAILABLE', `the ${who} has moved, with or without an answer: ask again`, {
                cause: error,
              })
            }
            if (!NOT_READY.has(error.code) || signal?.aborted === true) throw error
          }
          await new Promise<void>((resolve) => this.#engine.clock.setTimer(ASK_AGAIN_MS, resolve, { ref: hold }))
        }
      },
      signal,
      hold,
    )
  }

  get #topic(): TopicImage | undefined {
    return this.#engine.metadata.topic(OFFSETS_TOPIC)
  }

  /** As Kafka makes it when somebody first looks for a coordinator. */
  async #createTopic(signal: AbortSignal | undefined): Promise<TopicImage> {
    const { brokerConfig } = this.#engine
    const of = (name: 'offsets.topic.num.partitions' | 'offsets.topic.segment.bytes'): number =>
      brokerConfig[name] ?? GROUP_SETTINGS[name].default
    const config = {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(of('offsets.topic.segment.bytes')),
    }
    try {
      await this.#engine.createTopic({ name: OFFSETS_TOPIC, partitions: of('offsets.topic.num.partitions'), config }, signal)
    } catch (error) {
      // Another thread was faster.
      if (!(error instanceof MillraceError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error
    }
    return this.#topic!
  }
}
