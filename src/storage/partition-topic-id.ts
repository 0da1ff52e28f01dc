// Whose files a directory holds (Kafka: UnifiedLog.initializeTopicId). Runs on the thread that opens them.

import { MillraceError } from '../errors.ts'
import { equalTopicIds, formatTopicId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { PARTITION_METADATA_FILE, decodePartitionMetadata, encodePartitionMetadata } from './partition-metadata-file.ts'

const FILE_BYTES_MAX = 4_096

export function recordTopicId(directory: PartitionDirectory, topicId: TopicId): void {
  directory.replace(PARTITION_METADATA_FILE, Buffer.from(encodePartitionMetadata(topicId), 'latin1'))
}

/** Throws INCONSISTENT_TOPIC_ID for the files of another topic. A partition without the file gets it. */
export function checkTopicId(directory: PartitionDirectory, topicId: TopicId | undefined): void {
  const bytes = directory.readWhole(PARTITION_METADATA_FILE, FILE_BYTES_MAX)
  // Its name may be on the disk before its bytes, when the machine stops before the first sync.
  const isWritten = bytes?.some((byte) => byte !== 0) === true
  if (!isWritten) {
    if (topicId !== undefined) recordTopicId(directory, topicId)
    return
  }
  const path = directory.pathOf(PARTITION_METADATA_FILE)
  const found = decodePartitionMetadata(path, Buffer.from(bytes).toString('latin1'))
  if (topicId === undefined || equalTopicIds(found, topicId)) return
  throw new MillraceError(
    'INCONSISTENT_TOPIC_ID',
    `${path} has topic id ${formatTopicId(found)}, and the topic has ${formatTopicId(topicId)}: these are files of another topic of that name. Move the directory away`,
  )
}
