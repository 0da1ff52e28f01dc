// The controller's decisions as a pure state machine (Kafka: QuorumController): a
// command gives records and, once they stand in the metadata log, replay makes them
// true. It runs on whichever broker leads `__cluster_metadata-0`.
// Holds: nothing changes the image but replay. The records of one command are one batch,
// so in no image is a partition led by a broker that is fenced, or by an incarnation of it
// that was dead before: who fences or registers a broker elects in the same batch.

import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import type {
  AlterConfigsCommand,
  BrokerRegistration,
  CreatePartitionsCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  MoveLeaderCommand,
  ProducerIdsBlock,
} from './controller-commands.ts'
import type { BrokerImage, MetadataImage } from './metadata-image.ts'
import { FENCE, METADATA_VERSION, METADATA_VERSION_LEVEL, NO_LEADER, TOPIC_RESOURCE } from './metadata-records.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { LeaderPlacement } from './replica-placement.ts'
import { alterConfigs, configRecords, deleteTopic, leaderChange, moveLeader, newPartitions, partitionsToAdd } from './topic-changes.ts'

/** Kafka's: ids are plenty, and whoever has a block asks nobody for the next 999. */
const PRODUCER_IDS_A_BLOCK = 1_000

export class Controller {
  readonly #metadata: { readonly image: MetadataImage }

  /** `metadata`: where the image of the moment is. */
  constructor(metadata: { readonly image: MetadataImage }) {
    this.#metadata = metadata
  }

  get image(): MetadataImage {
    return this.#metadata.image
  }

  /** The first records of a new log; none when it has them. */
  bootstrap(clusterId: TopicId): MetadataRecord[] {
    if (this.image.content.features.has(METADATA_VERSION)) return []
    return [{ type: 'FeatureLevelRecord', record: { name: METADATA_VERSION, featureLevel: METADATA_VERSION_LEVEL, clusterId } }]
  }

  /** A broker starts, and leads what nobody leads; what an earlier incarnation of it led is led anew. */
  registerBroker({ brokerId, incarnation, incarnationId }: BrokerRegistration): MetadataRecord[] {
    const record = { brokerId, brokerEpoch: incarnation, incarnationId, fenced: false }
    return [{ type: 'RegisterBrokerRecord', record }, ...this.#elect(new Set([...this.#living(), brokerId]), new Set([brokerId]))]
  }

  /** Brokers died: they are fenced, and living ones lead their partitions under a higher epoch; nobody, while none lives. */
  fenceBrokers(dead: readonly { readonly brokerId: number; readonly incarnation: number }[]): MetadataRecord[] {
    const records: MetadataRecord[] = []
    const fenced = new Set<number>()
    for (const { brokerId, incarnation } of dead) {
      const broker = this.image.broker(brokerId)
      if (broker === undefined || broker.fenced || broker.brokerEpoch !== incarnation) continue
      fenced.add(brokerId)
      records.push({ type: 'BrokerRegistrationChangeRecord', record: { brokerId, brokerEpoch: incarnation, fenced: FENCE } })
    }
    if (records.length === 0) return []
    const living = new Set([...this.#living()].filter((brokerId) => !fenced.has(brokerId)))
    return [...records, ...this.#elect(living, fenced)]
  }

  /** `slots` has one free row for each partition; the first leaders start at epoch 0. */
  createTopic(command: CreateTopicCommand, topicId: TopicId, slots: readonly number[]): MetadataRecord[] {
    const { name, config } = command
    this.checkCreateTopic(command)
    const placement = this.#placementOfNew()
    const records: MetadataRecord[] = [{ type: 'TopicRecord', record: { name, topicId } }]
    records.push(...configRecords(TOPIC_RESOURCE, name, {}, config), ...newPartitions(topicId, 0, slots, placement))
    return records
  }

  /** Throws what is wrong with the command. */
  checkCreateTopic({ name, replicationFactor = 1 }: CreateTopicCommand): void {
    if (this.image.topic(name) !== undefined) {
      throw new MillraceError('TOPIC_ALREADY_EXISTS', `topic "${name}" exists already: open it with millrace.topic("${name}")`)
    }
    if (replicationFactor !== 1) {
      const message = `topic "${name}" asks for ${replicationFactor} replicas: replication does not exist yet, leave the factor out or make it 1`
      throw new MillraceError('INVALID_REPLICATION_FACTOR', message)
    }
  }

  deleteTopic(command: DeleteTopicCommand): MetadataRecord[] {
    return deleteTopic(this.image, command)
  }

  partitionsToAdd(command: CreatePartitionsCommand): number {
    return partitionsToAdd(this.image, command)
  }

  /** `slots` has one free row for each partition that is added. */
  createPartitions(command: CreatePartitionsCommand, slots: readonly number[]): MetadataRecord[] {
    const { topicId, partitions } = this.image.topic(command.name)!
    const placement = this.#placementOfNew()
    return newPartitions(topicId, partitions.length, slots, placement)
  }

  alterConfigs(command: AlterConfigsCommand): MetadataRecord[] {
    return alterConfigs(this.image, command)
  }

  moveLeader(command: MoveLeaderCommand): MetadataRecord[] {
    return moveLeader(this.image, command)
  }

  /** The next block of producer ids. Once the record stands in the log no successor gives it again (KIP-730). */
  allocateProducerIds(): { records: MetadataRecord[]; block: ProducerIdsBlock } {
    const firstProducerId = this.image.nextProducerId
    const record = { brokerId: -1, nextProducerId: firstProducerId + PRODUCER_IDS_A_BLOCK }
    return { records: [{ type: 'ProducerIdsRecord', record }], block: { firstProducerId, count: PRODUCER_IDS_A_BLOCK } }
  }

  /** Changes of all partitions that are led by nobody or by one of `lost`. */
  #elect(living: ReadonlySet<number>, lost: ReadonlySet<number>): MetadataRecord[] {
    const records: MetadataRecord[] = []
    const isOrphan = (leader: number): boolean => leader === NO_LEADER || lost.has(leader)
    const placement = new LeaderPlacement(living, (brokerId) => (isOrphan(brokerId) ? 0 : this.image.leads(brokerId)))
    for (const { topicId, partitions } of this.image.topics) {
      for (const partition of partitions) {
        if (!isOrphan(partition.leader)) continue
        const leader = placement.next()
        if (leader !== NO_LEADER || partition.leader !== NO_LEADER) records.push(leaderChange(topicId, partition, leader))
      }
    }
    return records
  }

  #placementOfNew(): LeaderPlacement {
    return new LeaderPlacement(this.#living(), (brokerId) => this.image.leads(brokerId))
  }

  *#living(): Generator<number> {
    for (const broker of this.image.brokers) if (isLiving(broker)) yield broker.brokerId
  }
}

export function isLiving(broker: BrokerImage | undefined): boolean {
  return broker !== undefined && !broker.fenced
}
