// The files of a partition that has none yet. Runs on the I/O thread.

import type { Clock } from '../clock.ts'
import type { Disk } from '../disk/disk.ts'
import type { ConfigImage } from '../metadata/metadata-image.ts'
import { CLUSTER_METADATA_TOPIC, CLUSTER_METADATA_TOPIC_ID } from '../metadata/metadata-records.ts'
import type { Random } from '../random.ts'
import { markedPartition } from '../storage/broker-directory.ts'
import type { BrokerDirectory } from '../storage/broker-directory.ts'
import type { PartitionName } from '../storage/data-directory.ts'
import { partitionDirectoryName } from '../storage/partition-directory-name.ts'
import { PartitionFiles } from '../storage/partition-files.ts'
import type { PartitionFilesConfig } from '../storage/partition-files-config.ts'

/** The metadata log is one segment after the other, of Kafka's metadata.log.segment.bytes, and goes by its checkpoints alone. */
export const METADATA_CONFIG: ConfigImage = { 'retention.ms': '-1', 'retention.bytes': '-1' }

export const METADATA_PARTITION = { topic: CLUSTER_METADATA_TOPIC, partition: 0, topicId: CLUSTER_METADATA_TOPIC_ID } as const

export interface CreationOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
}

/** In the log directory of a broker. Throws KAFKA_STORAGE_ERROR; what is left of it then is a partition without records. */
export function createPartitionFiles(
  { disk, clock, random }: CreationOptions,
  broker: BrokerDirectory,
  name: PartitionName,
  config: PartitionFilesConfig,
): PartitionFiles {
  // What is left of a topic that had the name must not be taken for this one's.
  broker.checkpoints.drop(name.topic, name.partition)
  const directory = `${broker.path}/${partitionDirectoryName(name.topic, name.partition)}`
  const files = PartitionFiles.create({
    disk,
    directory,
    ...(name.topicId === undefined ? {} : { topicId: name.topicId }),
    config,
    clock,
    random,
  })
  // From here on a directory that is not there is one that was lost.
  broker.durableEnds.note(broker.durableEnds.placeOf(markedPartition(name)))
  return files
}
