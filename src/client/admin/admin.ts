// Administration of this millrace (Kafka: Admin). Runs on the thread that holds it; the
// controller, the leaders of partitions and shared words answer.

import { checkOptions, show } from '../../config-def.ts'
import type { EmbeddedEngine } from '../../engine/embedded-engine.ts'
import { MillraceError } from '../../errors.ts'
import type { CreateTopicCommand } from '../../metadata/controller-commands.ts'
import { checkTopicName } from '../topic-definition.ts'
import {
  ALTER_OPTIONS,
  DESCRIBE_CONFIGS_OPTIONS,
  LIST_GROUPS_OPTIONS,
  LIST_OFFSETS_OPTIONS,
  LIST_TOPICS_OPTIONS,
  RESET_GROUP_OFFSETS_OPTIONS,
  checkCallOptions,
} from './call-options.ts'
import type {
  AdminCallOptions,
  AlterOptions,
  DescribeConfigsOptions,
  ListGroupsOptions,
  ListOffsetsOptions,
  ListTopicsOptions,
  ResetGroupOffsetsOptions,
} from './call-options.ts'
import { alterConfigsCommand } from './config-alterations.ts'
import type { ConfigAlteration } from './config-alterations.ts'
import { checkResource, describedConfigs, resourceTitle } from './config-resources.ts'
import type { ConfigResource, DescribedConfigs } from './config-resources.ts'
import { checkBrokerId, describedBroker, describedCluster, describedLogMemory } from './described-cluster.ts'
import type { DescribedBroker, DescribedCluster, DescribedLogMemory } from './described-cluster.ts'
import { describeGroup } from './described-group.ts'
import type { DescribedGroup } from './described-group.ts'
import { describedTopic, existingTopic, isInternalTopic } from './described-topic.ts'
import type { DescribedTopic } from './described-topic.ts'
import { checkNamedOnce, doEach } from './each-item.ts'
import { checkGroupId, checkGroupIds } from './group-engine.ts'
import { groupLag } from './group-lag.ts'
import type { GroupLag } from './group-lag.ts'
import { checkTarget, planReset } from './group-offset-resets.ts'
import type { OffsetResetTarget, PlannedOffset } from './group-offset-resets.ts'
import { alterGroupOffsets, deleteGroupOffsets, listGroupOffsets, newOffsets } from './group-offsets.ts'
import type { GroupOffset, OffsetsByTopic } from './group-offsets.ts'
import { partitionRows } from './group-partitions.ts'
import type { TopicsOrPartitions } from './group-partitions.ts'
import { deleteGroup, listGroups } from './groups.ts'
import type { ListedGroup } from './groups.ts'
import { createTopicCommands, createdTopic, validatedTopic } from './new-topic.ts'
import type { CreatedTopic, NewTopic } from './new-topic.ts'
import { deleteRecords, listOffsets } from './partition-offsets.ts'
import type { DeletedRecords, OffsetSpec, PartitionOffset } from './partition-offsets.ts'
import { freezeAll } from './plain-data.ts'
import { topicNames } from './topic-names.ts'

/**
 * Administration of this millrace (Kafka: Admin): `millrace.admin`, on every attached thread.
 *
 * What calls give is plain, frozen data of one moment. Every call takes an AbortSignal, and
 * rejects with ABORTED by it, CLOSED when millrace is closed, INVALID_CONFIG for an unknown
 * option and INVALID_REQUEST for arguments of another shape; calls that change something also
 * with REQUEST_TIMED_OUT when no controller or leader answers.
 *
 * Calls about several things try each for itself, all at once; they are no transaction. When
 * some fail, the rejection has the code of the first of them, and an `ItemFailures` as its
 * `cause` that says which failed, by name: what is not in there was done. Calls about one
 * thing reject with its error alone, and ABORTED and CLOSED are said of a call as a whole.
 */
export class Admin {
  readonly #engine: EmbeddedEngine

  /** Made by millrace. */
  constructor(engine: EmbeddedEngine) {
    this.#engine = engine
  }

  // --- topics -------------------------------------------------------------------

  /**
   * Makes topics, and resolves when all their partitions are led (Kafka: createTopics). Each is a name,
   * `{ name, partitions, config }`, or what `defineTopic` gave. Rejects with TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS
   * beyond `partitionsMax`, KAFKA_STORAGE_ERROR, and what `defineTopic` throws; then none was made. With `validateOnly` each
   * is looked at as if it were alone, and what it would be is given, with the id AAAAAAAAAAAAAAAAAAAAAA.
   */
  async createTopics(topics: readonly (string | NewTopic)[], options?: AlterOptions): Promise<readonly CreatedTopic[]> {
    const commands = createTopicCommands(topics, this.#engine.brokerConfig['num.partitions'] ?? 1)
    const { signal, validateOnly } = checkOptions(ALTER_OPTIONS, options)
    const create = async (command: CreateTopicCommand): Promise<CreatedTopic> => {
      if (!validateOnly) return createdTopic(await this.#engine.createTopic(command, signal))
      await this.#engine.validateTopic(command, signal)
      return validatedTopic(command)
    }
    return freezeAll(await doEach(commands.map((command) => ({ name: command.name, run: () => create(command) }))))
  }

  /** Makes one topic; see `createTopics`. `millrace.topic` makes and binds in one go. */
  async createTopic(topic: string | NewTopic, options?: AlterOptions): Promise<CreatedTopic> {
    const [created] = await this.createTopics([topic], options)
    return created!
  }

  /**
   * Deletes topics by name, one or an array (Kafka: deleteTopics). Their memory is free at once; producers of them get
   * UNKNOWN_TOPIC_ID, readers hear that they were deleted. A topic of the same name that is made later is another one.
   * Rejects with UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED.
   */
  async deleteTopics(names: string | readonly string[], options?: AdminCallOptions): Promise<void> {
    const checked = topicNames(names, 'deleteTopics')
    const signal = checkCallOptions(options)
    await doEach(checked.map((name) => ({ name, run: () => this.#engine.deleteTopic({ name }, signal) })))
  }

  /**
   * Gives a topic more partitions, `count` in all, and resolves when they are led (Kafka: createPartitions with
   * NewPartitions.increaseTo, KIP-195). Producers and readers that run take them in; keys may go to other partitions
   * from then on. Rejects with UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS when it has as many already or there is no
   * room.
   */
  async createPartitions(topic: string, count: number, options?: AlterOptions): Promise<void> {
    const { signal, validateOnly } = checkOptions(ALTER_OPTIONS, options)
    const name = checkTopicName(topic)
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new MillraceError('INVALID_PARTITIONS', `a topic has a whole number of partitions from 1 on; ${show(count)} was given`)
    }
    await this.#engine.createPartitions({ name, partitions: count, validateOnly }, signal)
  }

  /**
   * Has another broker lead a partition, live: what is acknowledged stays, and producers and readers go on there. Resolves
   * when it leads. Kafka has no call of this name: nearest to it are alterPartitionReassignments and electLeaders. Rejects
   * with UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED, BROKER_NOT_AVAILABLE.
   */
  async moveLeader(topic: string, partition: number, brokerId: number, options?: AdminCallOptions): Promise<void> {
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    const { name } = existingTopic(this.#engine, checkTopicName(topic))
    await this.#engine.moveLeader({ topic: name, partition, brokerId: checkBrokerId(this.#engine, brokerId) }, signal)
  }

  /** The names of all topics, in an array that is yours (Kafka: listTopics). */
  async listTopics(options?: ListTopicsOptions): Promise<string[]> {
    const { signal, listInternal = false } = checkOptions(LIST_TOPICS_OPTIONS, options)
    const names = await this.#engine.listTopics(signal)
    return listInternal ? names : names.filter((name) => !isInternalTopic(name))
  }

  /** A topic by name; leaders and offsets are those of this moment. Rejects with UNKNOWN_TOPIC_OR_PARTITION. */
  async describeTopic(name: string, options?: AdminCallOptions): Promise<DescribedTopic> {
    const [topic] = await this.describeTopics([name], options)
    return topic!
  }

  /** Topics by name, in the order of the names (Kafka: describeTopics). Rejects with UNKNOWN_TOPIC_OR_PARTITION. */
  async describeTopics(names: readonly string[], options?: AdminCallOptions): Promise<readonly DescribedTopic[]> {
    const checked = topicNames(names, 'describeTopics')
    await this.#engine.mayAnswer(checkCallOptions(options))
    const topics = await doEach(checked.map((name) => ({ name, run: async () => describedTopic(this.#engine, name) })))
    return freezeAll(topics)
  }

  // --- records ------------------------------------------------------------------

  /**
   * Looks offsets up of all partitions of a topic, or of those that an object by partition names (Kafka: listOffsets,
   * KIP-396, KIP-734): `listOffsets('clicks', 'latest')`, `listOffsets('clicks', { 0: 'earliest', 3: { timestamp } })`.
   * In ascending order. Rejects with UNKNOWN_TOPIC_OR_PARTITION, INVALID_TIMESTAMP, and UNKNOWN_TOPIC_ID when the topic
   * is deleted meanwhile.
   */
  async listOffsets(
    topic: string,
    spec: OffsetSpec | Readonly<Record<number, OffsetSpec>>,
    options?: ListOffsetsOptions,
  ): Promise<readonly PartitionOffset[]> {
    const { signal, isolationLevel } = checkOptions(LIST_OFFSETS_OPTIONS, options)
    const bound = isolationLevel === 'read_committed' ? 'lastStableOffset' : 'highWatermark'
    return freezeAll(await listOffsets(this.#engine, checkTopicName(topic), spec, bound, signal))
  }

  /**
   * Deletes the records below an offset, by partition (Kafka: deleteRecords): `deleteRecords('clicks', { 0: 1_000, 1:
   * 'end' })`; 'end' is the high watermark at the time of the call. Readers find the next record behind them; memory is
   * free again where a whole extent was deleted. Rejects with UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE beyond the
   * high watermark, POLICY_VIOLATION of a topic that is only compacted, UNKNOWN_TOPIC_ID when it is deleted meanwhile.
   */
  async deleteRecords(
    topic: string,
    beforeOffsets: Readonly<Record<number, number | 'end'>>,
    options?: AdminCallOptions,
  ): Promise<readonly DeletedRecords[]> {
    const signal = checkCallOptions(options)
    return freezeAll(await deleteRecords(this.#engine, checkTopicName(topic), beforeOffsets, signal))
  }

  // --- groups -------------------------------------------------------------------

  /** The groups that there are, by name (Kafka: listGroups, KIP-1043); each coordinator is asked for its own. */
  async listGroups(options?: ListGroupsOptions): Promise<readonly ListedGroup[]> {
    const { signal, states = [], types = [] } = checkOptions(LIST_GROUPS_OPTIONS, options)
    await this.#engine.mayAnswer(signal)
    return freezeAll(await listGroups(this.#engine, { states, types }, signal))
  }

  /** A group and its members, as they are at this moment. Rejects with GROUP_ID_NOT_FOUND. */
  async describeGroup(groupId: string, options?: AdminCallOptions): Promise<DescribedGroup> {
    const [group] = await this.describeGroups([groupId], options)
    return group!
  }

  /** Groups by name, in the order of the names (Kafka: describeConsumerGroups, describeClassicGroups). Rejects with GROUP_ID_NOT_FOUND. */
  async describeGroups(groupIds: readonly string[], options?: AdminCallOptions): Promise<readonly DescribedGroup[]> {
    const checked = checkGroupIds(groupIds, 'describeGroups')
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    return freezeAll(await doEach(checked.map((name) => ({ name, run: () => describeGroup(this.#engine, name, signal) }))))
  }

  /**
   * Deletes groups that have no members, one or an array, with all that they have committed (Kafka: deleteConsumerGroups).
   * Rejects with GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.
   */
  async deleteGroups(groupIds: string | readonly string[], options?: AdminCallOptions): Promise<void> {
    const checked = checkGroupIds(groupIds, 'deleteGroups')
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    await doEach(checked.map((name) => ({ name, run: () => deleteGroup(this.#engine, name, signal) })))
  }

  /**
   * What a group has committed, by topic and partition (Kafka: listConsumerGroupOffsets). Nothing of a group that is not
   * there, and nothing of topics that were deleted, though one of the same name is there again.
   */
  async listGroupOffsets(groupId: string, options?: AdminCallOptions): Promise<readonly GroupOffset[]> {
    const name = checkGroupId(groupId)
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    return freezeAll(await listGroupOffsets(this.#engine, name, signal))
  }

  /**
   * Sets where a group that has no members goes on (Kafka: alterConsumerGroupOffsets): `alterGroupOffsets('dashboard', {
   * clicks: { 0: 1_700, 3: { offset: 12, metadata: 'after the repair' } } })`. Makes the group where it is not there. Rejects
   * with NON_EMPTY_GROUP, where Kafka says UNKNOWN_MEMBER_ID, UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE,
   * OFFSET_METADATA_TOO_LARGE.
   */
  async alterGroupOffsets(groupId: string, offsets: OffsetsByTopic, options?: AdminCallOptions): Promise<void> {
    const name = checkGroupId(groupId)
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    await alterGroupOffsets(this.#engine, name, newOffsets(this.#engine, offsets), signal)
  }

  /**
   * Deletes what a group has committed of topics or partitions that no member reads (Kafka: deleteConsumerGroupOffsets,
   * KIP-496): `deleteGroupOffsets('dashboard', 'clicks')`, `deleteGroupOffsets('dashboard', { clicks: [0, 3] })`. Rejects
   * with GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION.
   */
  async deleteGroupOffsets(groupId: string, topics: TopicsOrPartitions, options?: AdminCallOptions): Promise<void> {
    const name = checkGroupId(groupId)
    const signal = checkCallOptions(options)
    await this.#engine.mayAnswer(signal)
    await deleteGroupOffsets(this.#engine, name, partitionRows(this.#engine, topics, 'deleteGroupOffsets'), signal)
  }

  /**
   * Has a group that has no members read from another place (Kafka: kafka-consumer-groups --reset-offsets, KIP-122):
   * `resetGroupOffsets('dashboard', 'clicks', { timestamp: Date.now() - 3_600_000 })`. Gives from where to where, and with
   * `dryRun` does no more. What would be beyond an end of a partition is that end. Rejects with NON_EMPTY_GROUP,
   * UNKNOWN_TOPIC_OR_PARTITION, INVALID_TIMESTAMP, OFFSET_OUT_OF_RANGE.
   */
  async resetGroupOffsets(
    groupId: string,
    topics: TopicsOrPartitions,
    to: OffsetResetTarget,
    options?: ResetGroupOffsetsOptions,
  ): Promise<readonly PlannedOffset[]> {
    const name = checkGroupId(groupId)
    const target = checkTarget(to)
    const { signal, dryRun = false } = checkOptions(RESET_GROUP_OFFSETS_OPTIONS, options)
    await this.#engine.mayAnswer(signal)
    const rows = partitionRows(this.#engine, topics, 'resetGroupOffsets')
    const plan = await planReset(this.#engine, name, rows, target, signal)
    const offsets = plan.map(({ offset }, i) => ({ row: rows[i]!, offset, leaderEpoch: -1, metadata: '' }))
    if (!dryRun) await alterGroupOffsets(this.#engine, name, offsets, signal)
    return freezeAll(plan)
  }

  /**
   * How many records a group has before it, by partition, topic and in all: of what it has committed or its members read.
   * Rejects with GROUP_ID_NOT_FOUND.
   */
  async groupLag(groupId: string, options?: ListOffsetsOptions): Promise<GroupLag> {
    const name = checkGroupId(groupId)
    const { signal, isolationLevel } = checkOptions({ ...LIST_OFFSETS_OPTIONS, what: 'groupLag option' }, options)
    await this.#engine.mayAnswer(signal)
    const bound = isolationLevel === 'read_committed' ? 'lastStableOffset' : 'highWatermark'
    return freezeAll(await groupLag(this.#engine, name, bound, signal))
  }

  // --- configs ------------------------------------------------------------------

  /**
   * The configs of a topic or a broker, by name, with their values as text and where each comes from (Kafka:
   * describeConfigs): `describeConfigs({ type: 'topic', name: 'clicks' })`. One resource gives one answer, an array of
   * them an array. A broker without a name stands for all brokers. Rejects with UNKNOWN_TOPIC_OR_PARTITION,
   * BROKER_ID_NOT_REGISTERED, and INVALID_CONFIG for a name that is none.
   */
  describeConfigs(resource: ConfigResource, options?: DescribeConfigsOptions): Promise<DescribedConfigs>
  describeConfigs(resources: readonly ConfigResource[], options?: DescribeConfigsOptions): Promise<readonly DescribedConfigs[]>
  async describeConfigs(
    resources: ConfigResource | readonly ConfigResource[],
    options?: DescribeConfigsOptions,
  ): Promise<DescribedConfigs | readonly DescribedConfigs[]> {
    const { signal, names, includeSynonyms = false, includeDocumentation = false } = checkOptions(DESCRIBE_CONFIGS_OPTIONS, options)
    const checked = [resources].flat().map((resource) => checkResource(resource, 'describeConfigs'))
    await this.#engine.mayAnswer(signal)
    const asked = { names, includeSynonyms, includeDocumentation }
    const described = await doEach(
      checked.map((resource) => ({ name: resourceTitle(resource), run: async () => describedConfigs(this.#engine, resource, asked) })),
    )
    return freezeAll(Array.isArray(resources) ? described : described[0]!)
  }

  /**
   * Alters configs of topics and brokers (Kafka: incrementalAlterConfigs, KIP-339): `incrementalAlterConfigs({ type:
   * 'topic', name: 'clicks', set: { 'retention.bytes': 1_000_000 }, delete: ['retention.ms'] })`; `append` and `subtract`
   * change items of lists. Of one resource all is altered, or nothing. Leaders follow as soon as they hear of it. Rejects
   * with INVALID_CONFIG, which names the nearest right name, UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED.
   */
  async incrementalAlterConfigs(alterations: ConfigAlteration | readonly ConfigAlteration[], options?: AlterOptions): Promise<void> {
    const { signal, validateOnly } = checkOptions(ALTER_OPTIONS, options)
    const checked = [alterations].flat().map((alteration) => checkResource(alteration, 'incrementalAlterConfigs'))
    checkNamedOnce(checked.map(resourceTitle), 'the resource')
    await this.#engine.mayAnswer(signal)
    await doEach(
      checked.map((alteration) => ({
        name: resourceTitle(alteration),
        run: async () => this.#engine.alterConfigs({ ...alterConfigsCommand(this.#engine, alteration), validateOnly }, signal),
      })),
    )
  }

  // --- brokers and memory -------------------------------------------------------

  /** The brokers of this process, and which one is the controller (Kafka: describeCluster). */
  async describeCluster(options?: AdminCallOptions): Promise<DescribedCluster> {
    await this.#engine.mayAnswer(checkCallOptions(options))
    return freezeAll(describedCluster(this.#engine))
  }

  /** One broker, by its id from 0. Rejects with BROKER_ID_NOT_REGISTERED. */
  async describeBroker(brokerId: number, options?: AdminCallOptions): Promise<DescribedBroker> {
    await this.#engine.mayAnswer(checkCallOptions(options))
    return freezeAll(describedBroker(this.#engine, brokerId))
  }

  /** Who holds how much of log memory (Kafka has describeLogDirs, of disks). */
  async describeLogMemory(options?: AdminCallOptions): Promise<DescribedLogMemory> {
    await this.#engine.mayAnswer(checkCallOptions(options))
    return freezeAll(describedLogMemory(this.#engine))
  }
}
