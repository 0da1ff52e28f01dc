// Looking offsets up by time in a log of which a part is in files alone: there on the thread that
// asks, in memory by its leader. Runs on the attached thread.
// Holds: what goes out of memory between the two looks is looked at in files.

import type { Clock } from '../clock.ts'
import type { ControlBlock } from '../log/control-block.ts'
import type { FetchBound, ListedOffset, TimeSpec } from '../partition/list-offsets.ts'
import type { PartitionFiles } from '../storage/segment-files.ts'
import { findOffsetByTimestamp, findOffsetOfMaxTimestamp } from '../storage/segment-search.ts'
import type { SegmentSearch } from '../storage/segment-search.ts'

export interface OffsetsInFiles {
  readonly topic: string
  readonly partition: number
  readonly control: ControlBlock
  readonly spec: TimeSpec
  readonly bound: FetchBound
  readonly engine: { readonly clock: Clock; readonly partitionFiles: PartitionFiles }
  /** What the leader finds in memory. */
  readonly inMemory: () => Promise<ListedOffset | null>
}

/** Null: there is no such record. Rejects with what `inMemory` rejects with, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR. */
export async function findOffsetInFiles(look: OffsetsInFiles): Promise<ListedOffset | null> {
  const { control, spec, inMemory } = look
  let lookedTo = control.logStartOffset
  let latest: ListedOffset | null = null
  for (;;) {
    const endOffset = Math.min(control.memoryStartOffset, control[look.bound])
    const search = searchOf(look, lookedTo, endOffset)
    if (endOffset > lookedTo) {
      if (spec === 'maxTimestamp') latest = laterOf(latest, await findOffsetOfMaxTimestamp(search))
      else {
        const found = await findOffsetByTimestamp(search, spec.timestampMs)
        if (found !== null) return found
      }
      lookedTo = endOffset
    }
    const found = await inMemory()
    if (control.memoryStartOffset <= lookedTo || lookedTo >= control[look.bound])
      return spec === 'maxTimestamp' ? laterOf(latest, found) : found
  }
}

function searchOf({ topic, partition, control, engine }: OffsetsInFiles, from: number, endOffset: number): SegmentSearch {
  const { clock, partitionFiles } = engine
  const { files, directoryOf } = partitionFiles
  const startOffset = (): number => Math.max(from, control.logStartOffset)
  return { files, clock, directory: () => directoryOf(topic, partition), startOffset, endOffset }
}

/** The first of equals. */
function laterOf(first: ListedOffset | null, second: ListedOffset | null): ListedOffset | null {
  if (first === null || second === null) return first ?? second
  return second.timestampMs > first.timestampMs ? second : first
}
