// `partition.metadata` of a partition directory: the id of its topic (KIP-516), so that
// the files of a topic are not taken for those of another one that has its name.
// Pure; any thread.
//
//   version: 0\n
//   topic_id: I2VQ3prYmWtKi63HjZ-xow     22 characters of base64url, and no line feed

import { TOPIC_ID_ZERO, equalTopicIds, formatTopicId, parseTopicId } from '../ids.ts'
import { parseWholeNumber } from './checkpoint-text.ts'
import { damagedFile, newerFileFormat } from './file-errors.ts'
import type { TopicId } from '../ids.ts'

export const PARTITION_METADATA_FILE = 'partition.metadata'

const VERSION = 0
const REMEDY = 'Put back a copy of it, from this directory or from another partition of the topic.'

export function encodePartitionMetadata(topicId: TopicId): string {
  return `version: ${VERSION}\ntopic_id: ${formatTopicId(topicId)}`
}

/** The topic's id. Throws UNSUPPORTED_VERSION for a newer format, and KAFKA_STORAGE_ERROR for text that is none of it. */
export function decodePartitionMetadata(path: string, text: string): TopicId {
  const lines = text.replace(/\n$/, '').split('\n')
  const version = parseWholeNumber(/^version: *(\d+)$/.exec(lines[0]!)?.[1] ?? '')
  if (version > VERSION) throw newerFileFormat(path, version, VERSION)
  if (version !== VERSION) throw damagedFile(path, 'no version in line 1', REMEDY)
  const id = /^topic_id: *([\w-]{22})$/.exec(lines[1] ?? '')?.[1]
  if (id === undefined || lines.length !== 2) throw damagedFile(path, 'no topic id in line 2, or more behind it', REMEDY)
  const topicId = parseTopicId(id)
  // 22 characters hold four bits more than an id: they are zero.
  if (equalTopicIds(topicId, TOPIC_ID_ZERO) || formatTopicId(topicId) !== id) throw damagedFile(path, `topic id ${id} in line 2`, REMEDY)
  return topicId
}
