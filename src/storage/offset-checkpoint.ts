// The checkpoint files of a log directory that hold an offset a partition. Four files,
// one format. Pure; any thread.
//
//   0\n                version
//   2\n                rows
//   access 0 10000\n   topic, partition, offset
//   empty 1 0\n
//
// Rows are in no order. A partition that is not named counts from 0; one that is named
// need not be there.

import { assert } from '../assert.ts'
import { damagedRow, decodeCheckpoint, encodeCheckpoint, parseWholeNumber } from './checkpoint-text.ts'
import { isTopicName, parsePartition } from './topic-name.ts'

/** Up to here each log is synced: opening after a crash reads what lies behind. */
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint'
/** High watermarks. */
export const REPLICATION_CHECKPOINT = 'replication-offset-checkpoint'
/** Where each log begins, if that is above its first segment's base offset: records below were deleted. */
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint'
/** Up to here each log was compacted. */
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint'

const REMEDIES: Readonly<Record<string, string>> = {
  [RECOVERY_POINT_CHECKPOINT]: 'Delete it while the directory is closed: every log is then read from its start when it is opened.',
  [REPLICATION_CHECKPOINT]: 'Delete it while the directory is closed: high watermarks are then found anew.',
  [LOG_START_CHECKPOINT]:
    'Put back a copy, or delete it while the directory is closed: what deleteRecords took from a first segment is then seen again.',
  [CLEANER_CHECKPOINT]: 'Delete it while the directory is closed: compaction then begins at the start of every log.',
}
const OTHER_REMEDY = 'Put back a copy.'

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export function encodeOffsetCheckpoint(offsets: readonly PartitionOffset[]): string {
  return encodeCheckpoint(
    offsets.map(({ topic, partition, offset }) => {
      assert(
        isTopicName(topic) && partition >= 0 && Number.isSafeInteger(offset) && offset >= 0,
        'an offset of no partition is in a checkpoint',
      )
      return `${topic} ${partition} ${offset}`
    }),
  )
}

/**
 * In the order of the file, each partition once. Throws UNSUPPORTED_VERSION for a newer
 * format, and KAFKA_STORAGE_ERROR for text that is none of it.
 */
export function decodeOffsetCheckpoint(path: string, text: string): PartitionOffset[] {
  const remedy = REMEDIES[path.slice(path.lastIndexOf('/') + 1)] ?? OTHER_REMEDY
  const named = new Set<string>()
  return decodeCheckpoint(path, text, remedy).map((words, row) => {
    const topic = words[0]!
    const partition = parsePartition(words[1] ?? '')
    const offset = parseWholeNumber(words[2] ?? '')
    if (words.length !== 3 || !isTopicName(topic) || partition < 0 || Number.isNaN(offset)) {
      throw damagedRow(path, row, words, 'a topic, a partition and an offset', remedy)
    }
    const name = `${topic}-${partition}`
    if (named.has(name)) throw damagedRow(path, row, words, 'a partition that was not named before', remedy)
    named.add(name)
    return { topic, partition, offset }
  })
}
