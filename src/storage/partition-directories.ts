// Which partitions have a directory in a log directory, and how one is made. On the thread that writes the
// data directory.
//
// What stands beside them: directories that wait to be deleted are listed; what Kafka set aside as
// `future` (a copy on its way from another log directory) or `stray` (not this broker's any more) is left
// alone and told, as is whatever is called otherwise.

import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { MillraceError } from '../errors.ts'
import type { TopicId } from '../ids.ts'
import { decodePartitionMetadata, encodePartitionMetadata, PARTITION_METADATA_FILE } from './partition-metadata-file.ts'
import { parsePartitionDirectoryName, partitionDirectoryName } from './partition-directory-name.ts'

const METADATA_BYTES_MAX = 4096

/** A partition that has a directory. */
export interface PartitionDirectory {
  readonly topic: string
  readonly partition: number
  /** Undefined: it has no `partition.metadata`, or a damaged one. */
  readonly topicId: TopicId | undefined
  /** Why its `partition.metadata` cannot be believed. */
  readonly failure: MillraceError | undefined
  readonly path: string
}

export interface ListedDirectories {
  readonly partitions: readonly PartitionDirectory[]
  /** Paths of directories that wait to be removed. */
  readonly deleted: readonly string[]
}

/** `log` is told of what is left alone. Throws KAFKA_STORAGE_ERROR where a file has a partition's name. */
export function listPartitionDirectories(disk: Disk, directory: string, log: (message: string) => void): ListedDirectories {
  const partitions: PartitionDirectory[] = []
  const deleted: string[] = []
  for (const name of disk.list(directory)) {
    if (name.startsWith('.')) continue
    const path = `${directory}/${name}`
    const parsed = parsePartitionDirectoryName(name)
    if (!disk.stat(path).isDirectory) {
      if (parsed !== undefined && parsed.state === undefined) throw fileForDirectory(path)
    } else if (parsed === undefined) {
      log(`${path} is left alone: it is not called as a partition's directory is`)
    } else if (parsed.state === 'delete') {
      deleted.push(path)
    } else if (parsed.state !== undefined) {
      log(`${path} is left alone: Kafka had set it aside as ${parsed.state}`)
    } else {
      partitions.push({ topic: parsed.topic, partition: parsed.partition, ...readTopicId(disk, path), path })
    }
  }
  return { partitions, deleted }
}

/** Makes the directory; it survives a power cut when this returns. What a crash left of making it is taken. */
export function makePartitionDirectory(disk: Disk, directory: string, topic: string, partition: number, topicId?: TopicId): string {
  const path = `${directory}/${partitionDirectoryName(topic, partition)}`
  if (!disk.exists(path)) disk.makeDirectory(path)
  else if (!disk.stat(path).isDirectory) throw fileForDirectory(path)
  else if (disk.list(path).some((name) => !name.startsWith(PARTITION_METADATA_FILE))) {
    throw new DiskError({ path, operation: 'make-directory', reason: 'exists' })
  }
  if (topicId !== undefined) {
    replaceFile(disk, `${path}/${PARTITION_METADATA_FILE}`, new TextEncoder().encode(encodePartitionMetadata(topicId)))
  }
  disk.syncDirectory(directory)
  return path
}

function readTopicId(disk: Disk, directory: string): Pick<PartitionDirectory, 'topicId' | 'failure'> {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  try {
    const text = new TextDecoder().decode(readWhole(disk, path, METADATA_BYTES_MAX))
    return { topicId: decodePartitionMetadata(path, text), failure: undefined }
  } catch (error) {
    if (error instanceof DiskError && error.reason === 'not-found') return { topicId: undefined, failure: undefined }
    // One that is damaged is its partition's trouble; one that is newer is the directory's.
    if (!(error instanceof MillraceError) || error.code !== 'KAFKA_STORAGE_ERROR') throw error
    return { topicId: undefined, failure: error }
  }
}

function fileForDirectory(path: string): MillraceError {
  const message = `${path} is a file, where the directory of a partition should be: move it away`
  return new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
}
