// Where an attached thread finds the files of partitions: in the log directory in which they
// were made, whoever leads them now.

import { partitionDirectoryPath } from '../io/io-control.ts'
import type { LogDirectoryLayout } from '../io/io-control.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import { nodeSegmentFiles } from '../storage/segment-files.ts'
import type { PartitionFiles } from '../storage/segment-files.ts'

export interface PartitionsOf {
  readonly metadata: MetadataImage
  controlBlock(slot: number): ControlBlock
}

/** `layout` undefined: logs are in memory only. */
export function partitionFilesOf(layout: LogDirectoryLayout | undefined, engine: PartitionsOf): PartitionFiles {
  const directoryOf = (topic: string, partition: number): string | undefined => {
    const slot = engine.metadata.topic(topic)?.partitions[partition]?.slot
    const home = slot === undefined ? -1 : engine.controlBlock(slot).home
    return layout === undefined || home < 0 ? undefined : partitionDirectoryPath(layout, home, topic, partition)
  }
  return { files: nodeSegmentFiles, directoryOf }
}
