// The group coordinators of one broker: one for each partition of `__consumer_offsets` that it
// leads (Kafka: GroupCoordinatorService). Runs on the broker's thread, in its turns and between them.
//
//   the partition is led here ─▶ its log is read ─▶ committed ─▶ active ─▶ another leads it: closed
//
// Holds: there is a coordinator of a group only where its partition is led, under that leader
// epoch; what a leader before had appended is in its state before anybody is answered.

import type { Bells } from '../bells.ts'
import type { Clock } from '../clock.ts'
import type { BrokerConfig, BrokerGroupConfig } from '../config/broker-config.ts'
import { GROUP_SETTINGS } from '../config/broker-group-settings.ts'
import { localHost, localThreadOf } from '../coordinator/client-host.ts'
import { CoordinatorRuntime } from '../coordinator/coordinator-runtime.ts'
import type { CoordinatorLog } from '../coordinator/coordinator-runtime.ts'
import type { ClientContext } from '../coordinator/coordinator-shard.ts'
import { encodeGroupBatch, replayGroupBatches } from '../coordinator/group/group-batch.ts'
import { groupCoordinatorConfig } from '../coordinator/group/group-config.ts'
import type { GroupCoordinatorConfig } from '../coordinator/group/group-config.ts'
import { GroupCoordinator } from '../coordinator/group/group-coordinator.ts'
import { OFFSETS_TOPIC } from '../coordinator/group/offsets-topic.ts'
import type { GroupRecord } from '../coordinator/group/group.ts'
import { SnapshotRegistry } from '../coordinator/timeline.ts'
import { MillraceError } from '../errors.ts'
import type { ErrorName } from '../errors.ts'
import { equalTopicIds, threadId } from '../ids.ts'
import { partitionDirectoryPath } from '../io/io-control.ts'
import type { LogDirectoryLayout } from '../io/io-control.ts'
import { ControlBlock } from '../log/control-block.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import type { PartitionActor } from '../partition/partition-actor.ts'
import type { Random } from '../random.ts'
import { nodeSegmentFiles } from '../storage/segment-files.ts'
import type { GroupRequest, ThreadBell } from './broker-control.ts'
import type { BrokerPartitions } from './broker-partitions.ts'
import { loadCoordinatorLog } from './coordinator-loader.ts'
import { heldHeartbeat } from './held-heartbeat.ts'
import { compilePattern } from './topic-pattern.ts'

export interface GroupCoordinatorsOptions {
  readonly partitions: BrokerPartitions
  readonly bells: Bells
  readonly clock: Clock
  readonly random: Random
  readonly config: Readonly<Partial<BrokerConfig>>
  /** Tells this open millrace from others in the hosts of members. */
  readonly processId: number
  readonly image: () => MetadataImage
  /** Where log directories are; undefined: logs are in memory only. */
  readonly layout: (() => Promise<LogDirectoryLayout>) | undefined
  /** Something was appended, and is to be published by a turn. */
  readonly onAppended: () => void
  /** A defect: the thread is to end. */
  readonly onFatal: (error: unknown) => void
}

/** What was not set has Kafka's default. */
function groupConfigOf(config: Readonly<Partial<BrokerConfig>>): GroupCoordinatorConfig {
  const defaults = Object.fromEntries(Object.entries(GROUP_SETTINGS).map(([name, setting]) => [name, setting.default]))
  return groupCoordinatorConfig({ ...(defaults as unknown as BrokerGroupConfig), ...config })
}

type GroupRuntime = CoordinatorRuntime<GroupRecord, GroupCoordinator>

interface Led {
  readonly actor: PartitionActor
  readonly runtime: GroupRuntime
  /** All of its log was read; it becomes active when that is committed. */
  isLoaded: boolean
  /** Its log cannot be read. */
  failure: MillraceError | undefined
}

export class GroupCoordinators {
  readonly #options: GroupCoordinatorsOptions
  /** By slot. */
  readonly #led = new Map<number, Led>()
  /** Those that wait for their log: there are fifty, and a turn in which none of them does costs nothing. */
  readonly #waiting = new Set<Led>()

  constructor(options: GroupCoordinatorsOptions) {
    this.#options = options
  }

  /** This broker may lead other partitions than before. `delta`: what has changed in the cluster, undefined: nothing. */
  follow(delta: MetadataDelta | undefined): void {
    const topic = this.#options.image().topic(OFFSETS_TOPIC)
    const slots = new Set<number>()
    for (const { slot, partitionId } of topic?.partitions ?? []) {
      const actor = this.#options.partitions.actorOf(slot)
      if (actor === undefined) continue
      slots.add(slot)
      if (this.#led.get(slot)?.actor !== actor) this.#start(actor, partitionId)
    }
    for (const [slot, led] of this.#led) if (!slots.has(slot)) this.#stop(slot, led)
    if (delta === undefined) return
    for (const { runtime } of this.#led.values()) runtime.tell((shard, { nowMs }) => shard.metadataChanged(delta, nowMs))
  }

  /**
   * Answers with Kafka's response. Rejects with NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE: the
   * caller asks again.
   */
  async ask({ slot, topicId, api, request, clientId, holdMs }: GroupRequest, from: ThreadBell): Promise<unknown> {
    const led = this.#led.get(slot)
    if (led === undefined || !equalTopicIds(led.actor.identity.topicId, topicId)) {
      throw new MillraceError('NOT_COORDINATOR', 'this broker does not lead the partition of the group: ask the one that does')
    }
    if (led.failure !== undefined) throw led.failure
    const context: ClientContext = { clientId, clientHost: this.#hostOf(from), isLocal: true }
    const hold = api === 'consumerGroupHeartbeat' ? heldHeartbeat(request, holdMs ?? 0) : undefined
    return this.#guarded(() =>
      led.runtime.ask(
        (shard, requestId, { nowMs, wallMs }, committed) =>
          shard.request(api, requestId, request as never, context, nowMs, wallMs, committed),
        hold,
      ),
    )
  }

  /** The thread has ended, or has detached: its members are out of their groups. */
  hostGone(thread: ThreadBell): void {
    const host = this.#hostOf(thread)
    for (const { runtime } of this.#led.values()) runtime.tell((shard, { nowMs }) => shard.clientHostGone(host, nowMs))
  }

  /** In each turn, behind what moves watermarks. */
  advance(): void {
    if (this.#waiting.size === 0) return
    for (const led of this.#waiting) {
      const { actor, runtime } = led
      if (runtime.isActive) {
        if (actor.haveFilesFailed) runtime.fail()
        else runtime.advance()
      } else if (led.isLoaded && actor.log.highWatermark >= actor.log.endOffset) this.#activate(led)
      if (runtime.isActive && !runtime.isBehind) this.#waiting.delete(led)
    }
  }

  close(): void {
    for (const [slot, led] of this.#led) this.#stop(slot, led)
  }

  #start(actor: PartitionActor, partition: number): void {
    const { slot } = actor.log
    const before = this.#led.get(slot)
    if (before !== undefined) this.#stop(slot, before)
    const { clock, random, bells, config, image } = this.#options
    const registry = new SnapshotRegistry()
    const shard = new GroupCoordinator({ registry, config: groupConfigOf(config), image, random, partition, compilePattern })
    const runtime: GroupRuntime = new CoordinatorRuntime({
      name: `the coordinator of ${OFFSETS_TOPIC}-${partition}`,
      registry,
      shard,
      log: this.#logOf(actor, () => this.#waiting.add(led)),
      clock,
      onFenced: (host) => {
        const local = localThreadOf(host)
        if (local !== undefined) bells.fence(threadId(local.thread))
      },
    })
    const led: Led = { actor, runtime, isLoaded: false, failure: undefined }
    this.#led.set(slot, led)
    this.#waiting.add(led)
    this.#load(led).then(
      () => {
        led.isLoaded = true
        // It may have been the last thing that was waited for.
        this.#options.onAppended()
      },
      (error: unknown) => {
        if (!isAnswer(error)) return this.#options.onFatal(error)
        // Its groups have no coordinator, and are told why; the others go on.
        led.failure = error
        this.#waiting.delete(led)
      },
    )
  }

  async #load({ actor, runtime }: Led): Promise<void> {
    const { partitions, clock } = this.#options
    const { topic, partition } = actor.identity
    const control = new ControlBlock(partitions.memory, actor.log.slot)
    await loadCoordinatorLog({
      name: `${topic}-${partition}`,
      memory: partitions.memory,
      control,
      endOffset: actor.log.endOffset,
      files: nodeSegmentFiles,
      directory: async () => {
        const layout = await this.#options.layout?.()
        return layout === undefined || control.home < 0 ? undefined : partitionDirectoryPath(layout, control.home, topic, partition)
      },
      clock,
      replay: (bytes, length, from) => replayGroupBatches(bytes, length, from, (record) => runtime.replay(record)),
      isOver: () => this.#led.get(actor.log.slot)?.runtime !== runtime,
      turn: () => new Promise((resolve) => clock.setTimer(0, resolve)),
    })
  }

  #activate({ runtime }: Led): void {
    runtime.activate()
    runtime.tell((shard, { nowMs, wallMs }) => shard.loaded(nowMs, (host) => this.#isHostAlive(host), wallMs))
  }

  #logOf(actor: PartitionActor, onWaiting: () => void): CoordinatorLog<GroupRecord> {
    const { partitions, clock, onAppended } = this.#options
    const { log } = actor
    return {
      append(records): number | ErrorName {
        const batch = encodeGroupBatch(records, clock.nowMs())
        if (actor.haveFilesFailed) return 'KAFKA_STORAGE_ERROR'
        if (batch.length > log.config.maxMessageBytes) return 'RECORD_LIST_TOO_LARGE'
        if (partitions.append(log.slot, batch) < 0) return 'COORDINATOR_NOT_AVAILABLE'
        onWaiting()
        onAppended()
        return log.endOffset
      },
      get endOffset() {
        return log.endOffset
      },
      get highWatermark() {
        return log.highWatermark
      },
    }
  }

  #stop(slot: number, led: Led): void {
    led.runtime.close()
    this.#waiting.delete(led)
    if (this.#led.get(slot) === led) this.#led.delete(slot)
  }

  #hostOf({ id, incarnation }: ThreadBell): string {
    return localHost({ thread: id, incarnation, process: this.#options.processId })
  }

  /** Hosts behind sockets may live: their sessions tell. */
  #isHostAlive(host: string): boolean {
    const local = localThreadOf(host)
    if (local === undefined) return true
    return local.process === this.#options.processId >>> 0 && this.#options.bells.isHeldBy(threadId(local.thread), local.incarnation)
  }

  async #guarded<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      if (!isAnswer(error)) this.#options.onFatal(error)
      throw error
    }
  }
}

/** What is none is a defect: the thread is to end. */
function isAnswer(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code !== 'ASSERTION_FAILED'
}
