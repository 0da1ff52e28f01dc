// The names of partition directories. Pure; any thread.
//
//   access-0                                                  topic, a dash, partition; the topic may hold dashes
//   access-0.cbd1a7b5a2f84a3db1a4d3b0a0b1c2d3-delete          to be deleted; 32 hexadecimal digits keep apart those of one name
//   access-0.cbd1a7b5a2f84a3db1a4d3b0a0b1c2d3-stray           is not this broker's any more
//   access-0.cbd1a7b5a2f84a3db1a4d3b0a0b1c2d3-future          a copy that will take the place of one in another directory
//
// A name has at most 255 characters: where a suffix makes it longer, Kafka cuts the
// topic. So the topic of a directory that is to be deleted, or stray, may be a part of
// a name only.

import { assert } from '../assert.ts'
import type { Random } from '../random.ts'
import { isTopicName, parsePartition } from './topic-name.ts'

export const DIRECTORY_STATES = ['delete', 'future', 'stray'] as const
/** What is happening to a directory that is no partition's, or not yet. */
export type DirectoryState = (typeof DIRECTORY_STATES)[number]

const NAME_CHARS_MAX = 255
const LIVE = /^(.+)-(\d+)$/
const MOVED = new RegExp(`^(.+)-(\\d+)\\.([0-9a-f]+)-(${DIRECTORY_STATES.join('|')})$`)

/** The name of a partition directory, taken apart. */
export interface PartitionDirectoryName {
  /** With a state other than `future`, it may be cut at its end. */
  readonly topic: string
  readonly partition: number
  /** Undefined for a partition that is in use. */
  readonly state: DirectoryState | undefined
  /** Hexadecimal digits; undefined where there is no state. */
  readonly uniqueId: string | undefined
}

/** `<topic>-<partition>`. */
export function partitionDirectoryName(topic: string, partition: number): string {
  const isPartition = partition >= 0 && parsePartition(String(partition)) === partition
  assert(isTopicName(topic) && isPartition, `no partition is called "${topic}-${partition}"`)
  return `${topic}-${partition}`
}

/** `<topic>-<partition>.<uniqueId>-<state>`; the caller draws `uniqueId`, 32 hexadecimal digits. */
export function movedPartitionDirectoryName(topic: string, partition: number, uniqueId: string, state: DirectoryState): string {
  assert(/^[0-9a-f]{32}$/.test(uniqueId), 'a unique id has 32 hexadecimal digits')
  const suffix = `${partitionDirectoryName(topic, partition).slice(topic.length)}.${uniqueId}-${state}`
  const isCut = topic.length + suffix.length > NAME_CHARS_MAX
  assert(!isCut || state !== 'future', 'a topic with so long a name cannot be copied to another directory')
  return `${isCut ? topic.slice(0, NAME_CHARS_MAX - suffix.length) : topic}${suffix}`
}

/** 32 hexadecimal digits. */
export function drawUniqueId(random: Random): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
}

/** Undefined for a name that is none of a partition directory. */
export function parsePartitionDirectoryName(name: string): PartitionDirectoryName | undefined {
  const found = LIVE.exec(name) ?? MOVED.exec(name)
  if (found === null) return undefined
  const [, topic, digits, uniqueId, state] = found as unknown as [string, string, string, string | undefined, string | undefined]
  const partition = parsePartition(digits)
  if (partition < 0 || !isTopicName(topic)) return undefined
  return { topic, partition, state: state as DirectoryState | undefined, uniqueId }
}
