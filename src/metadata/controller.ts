// The controller's decisions as a pure state machine (Kafka: QuorumController): a
// command gives records and, once they stand in the metadata log, replay makes them
// true. It runs on whichever broker leads `__cluster_metadata-0`.
// Holds: nothing changes the image but replay.

import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import { MetadataImage } from './metadata-image.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { LeaderPlacement } from './replica-placement.ts'

export interface CreateTopicCommand {
  readonly name: string
  readonly partitions: number
  readonly config: Readonly<Record<string, string>>
}

/** Producer ids that one thread alone may hand out: `count` of them, from `firstProducerId` on (Kafka: ProducerIdsBlock). */
export interface ProducerIdsBlock {
  readonly firstProducerId: number
  readonly count: number
}

/** Kafka's: ids are plenty, and whoever has a block asks nobody for the next 999. */
const PRODUCER_IDS_A_BLOCK = 1_000

/** A partition that gets a new leader. */
export interface LeaderChange {
  readonly topic: string
  readonly topicId: TopicId
  readonly partitionId: number
  readonly slot: number
  readonly leader: number
  readonly leaderEpoch: number
}

export class Controller {
  readonly image = new MetadataImage()

  replay(record: MetadataRecord): void {
    this.image.replay(record)
  }

  /** A broker starts; what an earlier incarnation of it led must have been seen to before. */
  registerBroker(brokerId: number, incarnation: number): MetadataRecord[] {
    return [{ type: 'RegisterBrokerRecord', brokerId, incarnation }]
  }

  /** `slots` has one free row for each partition; the first leaders start at epoch 0. */
  createTopic(command: CreateTopicCommand, topicId: TopicId, slots: readonly number[]): MetadataRecord[] {
    if (this.image.topic(command.name) !== undefined) {
      throw new MillraceError(
        'TOPIC_ALREADY_EXISTS',
        `topic "${command.name}" exists already: open it with millrace.topic("${command.name}")`,
      )
    }
    const placement = new LeaderPlacement(this.#living(), this.#leaders())
    const records: MetadataRecord[] = [{ type: 'TopicRecord', name: command.name, topicId, config: command.config }]
    for (let partitionId = 0; partitionId < command.partitions; partitionId++) {
      const leader = placement.next()
      records.push({ type: 'PartitionRecord', topicId, partitionId, slot: slots[partitionId]!, leader, leaderEpoch: 0 })
    }
    return records
  }

  /** A broker died: it is fenced, so its partitions need leaders (see `electLeaders`). */
  fenceBroker(brokerId: number, incarnation: number): MetadataRecord[] {
    const broker = this.image.broker(brokerId)
    if (broker === undefined || broker.fenced || broker.incarnation !== incarnation) return []
    return [{ type: 'FenceBrokerRecord', brokerId, incarnation }]
  }

  /**
   * Gives every partition whose leader is fenced to a living broker, under a higher
   * epoch; `also` names one more broker whose partitions are orphans, although it
   * lives: a restarted one, whose dead incarnation led them.
   */
  electLeaders(also = -1): { records: MetadataRecord[]; changes: LeaderChange[] } {
    const living = [...this.#living()]
    const records: MetadataRecord[] = []
    const changes: LeaderChange[] = []
    if (living.length === 0) return { records, changes }
    const isOrphan = (leader: number): boolean => leader === also || this.image.broker(leader)?.fenced !== false
    const placement = new LeaderPlacement(
      living,
      [...this.#leaders()].filter((leader) => !isOrphan(leader)),
    )
    for (const topic of this.image.topics) {
      const { topicId, name } = topic
      for (const { partitionId, slot, leader: previousLeader, leaderEpoch: previousEpoch } of topic.partitions) {
        if (!isOrphan(previousLeader)) continue
        const leader = placement.next()
        const leaderEpoch = previousEpoch + 1
        changes.push({ topic: name, topicId, partitionId, slot, leader, leaderEpoch })
        records.push({ type: 'PartitionChangeRecord', topicId, partitionId, leader, leaderEpoch })
      }
    }
    return { records, changes }
  }

  /** The next block of producer ids. Once the record stands in the log no successor gives it again (KIP-730). */
  allocateProducerIds(): { records: MetadataRecord[]; block: ProducerIdsBlock } {
    const firstProducerId = this.image.nextProducerId
    const nextProducerId = firstProducerId + PRODUCER_IDS_A_BLOCK
    return {
      records: [{ type: 'ProducerIdsRecord', nextProducerId }],
      block: { firstProducerId, count: PRODUCER_IDS_A_BLOCK },
    }
  }

  *#living(): Generator<number> {
    for (const broker of this.image.brokers) if (!broker.fenced) yield broker.brokerId
  }

  *#leaders(): Generator<number> {
    for (const topic of this.image.topics) for (const partition of topic.partitions) yield partition.leader
  }
}
