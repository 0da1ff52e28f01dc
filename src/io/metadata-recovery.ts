// What the metadata log in a data directory says of the cluster, and what of that is still
// true when a process opens it (Kafka: MetadataLoader at start, over files). Pure but for
// the disk that it is given.
//
//   checkpoint ─▶ records behind it ─▶ image of the process before ─▶ image to start with
//
// Holds: brokers are threads, so none of them lives on: each registers anew, and what it led
// keeps its leader and epoch until then. A topic that was in memory alone comes back empty,
// under another id: nobody takes its offsets for those of before.

import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import { replayBatches } from '../metadata/metadata-batch.ts'
import { MetadataDelta } from '../metadata/metadata-delta.ts'
import { MetadataImage } from '../metadata/metadata-image.ts'
import type { PartitionImage, TopicImage } from '../metadata/metadata-image.ts'
import { FIRST_TOPIC_SLOT } from '../metadata/metadata-records.ts'
import { METADATA_FILE_BYTES_MAX, checkBatches, readMetadataCheckpoint } from './metadata-checkpoint.ts'

const SEGMENT = /^\d{20}\.log$/

/** The image that the metadata log in `directory` gives, up to `endOffset`. Its segments were recovered before. */
export function readMetadata(disk: Disk, directory: string, endOffset: number): MetadataImage {
  const start = readMetadataCheckpoint(disk, directory)
  const delta = new MetadataDelta(start)
  let offset = start.offset
  for (const name of disk.list(directory).filter((each) => SEGMENT.test(each))) {
    const path = `${directory}/${name}`
    const bytes = readWhole(disk, path, METADATA_FILE_BYTES_MAX)
    checkBatches(path, bytes)
    replayBatches(bytes, bytes.length, offset, (record) => delta.replay(record))
  }
  offset = Math.max(offset, endOffset)
  return delta.apply(offset)
}

export interface ReopeningOptions {
  /** How many brokers there are now: 0 to `brokers` - 1. */
  readonly brokers: number
  readonly partitionsMax: number
  /** Whether the topic has files. */
  readonly hasFiles: (topic: TopicImage) => boolean
  readonly newUuid: () => TopicId
}

/** What of the image of the process before holds for this one. Throws INVALID_CONFIG where it does not fit. */
export function reopenedImage(image: MetadataImage, options: ReopeningOptions): MetadataImage {
  const topicsById = new Map<string, TopicImage>()
  const topicKeys = new Map<string, string>()
  const leaderCounts = new Map<number, number>()
  const slots = new SlotList(image, options.partitionsMax)
  for (const topic of image.topics) {
    const partitions = topic.partitions.map((partition) => reopenedPartition(partition, options.brokers, slots))
    for (const { leader } of partitions) leaderCounts.set(leader, (leaderCounts.get(leader) ?? 0) + 1)
    const topicId = options.hasFiles(topic) ? topic.topicId : options.newUuid()
    const key = formatTopicId(topicId)
    topicsById.set(key, { name: topic.name, topicId, partitions })
    topicKeys.set(topic.name, key)
  }
  const brokers = new Map()
  return new MetadataImage(image.offset, { ...image.content, brokers, topicsById, topicKeys, leaderCounts })
}

/** A leader that there is not any more, or that Kafka had under another id, is one of those there are. */
function reopenedPartition(partition: PartitionImage, brokers: number, slots: SlotList): PartitionImage {
  const leader = partition.leader < 0 ? partition.leader : partition.leader % brokers
  const replicas = [Math.max(0, leader)]
  return { ...partition, slot: slots.of(partition), leader, replicas, isr: replicas }
}

/** Rows of the partition table: those that partitions have, and new ones for what has none, as in a log of Kafka's. */
class SlotList {
  readonly #taken = new Set<number>()
  readonly #partitionsMax: number
  #next = FIRST_TOPIC_SLOT

  constructor(image: MetadataImage, partitionsMax: number) {
    this.#partitionsMax = partitionsMax
    for (const { partitions } of image.topics) for (const { slot } of partitions) if (slot >= 0) this.#taken.add(slot)
  }

  of({ slot }: PartitionImage): number {
    if (slot >= 0 && slot < this.#partitionsMax) return slot
    while (this.#taken.has(this.#next)) this.#next++
    if (this.#next >= this.#partitionsMax) {
      const message = `the data directory holds more partitions than the ${this.#partitionsMax} that this millrace may have: raise partitionsMax`
      throw new MillraceError('INVALID_CONFIG', message)
    }
    this.#taken.add(this.#next)
    return this.#next
  }
}
