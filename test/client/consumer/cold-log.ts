// A hand-driven log whose older offsets are in segment files. The same offsets hold "m…" in
// memory and "f…" in files, so that each record says where it was read.

import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { stampBatch } from '../../../src/record/record-batch.ts'
import { HandFiles, SegmentDirectory } from '../../storage/segment-fixture.ts'
import { HandDrivenLog, recordsOf, textBatch } from './hand-driven-log.ts'
import type { TextTopic } from './hand-driven-log.ts'

export const RECORDS_A_BATCH = 3
const BATCHES_A_SEGMENT = 5

export class ColdLog {
  readonly files = new HandFiles()
  readonly world: HandDrivenLog
  readonly topic: TextTopic
  readonly #directories: SegmentDirectory[]
  readonly #batches: number[]

  constructor(partitions = 1) {
    const directoryOf = (_topic: string, partition: number): string => this.#directories[partition]!.path
    this.world = new HandDrivenLog({ partitionFiles: { files: this.files, directoryOf }, logMemoryBytes: 32 * 1024 * 1024 })
    this.topic = this.world.topic(partitions)
    this.#directories = Array.from({ length: partitions }, () => new SegmentDirectory())
    this.#batches = Array.from({ length: partitions }, () => 0)
  }

  consumer(options?: ConsumerOptions): Consumer {
    return this.world.consumer(options)
  }

  directory(partition = 0): SegmentDirectory {
    return this.#directories[partition]!
  }

  endOffset(partition = 0): number {
    return this.#batches[partition]! * RECORDS_A_BATCH
  }

  /** So many batches more; all are in files as well. */
  append(batches: number, partition = 0): void {
    for (let i = 0; i < batches; i++) this.world.append(this.topic, values('m', this.endOffset(partition) + i * RECORDS_A_BATCH), partition)
    this.#batches[partition]! += batches
    this.#write(partition)
  }

  /** Memory begins there from now on. */
  sink(offset: number, partition = 0): void {
    this.world.control(this.topic, partition).publishMemoryStart(offset)
  }

  /** The log begins there from now on. */
  trim(offset: number, partition = 0): void {
    this.world.log(this.topic, partition).deleteRecordsBefore(offset)
  }

  /** What a reader sees of these offsets, as `recordsOf` says it. */
  expected(from: number, memoryStart: number, end: number, partition = 0): string[] {
    return Array.from({ length: end - from }, (_, i) => `${partition}:${from + i} ${from + i < memoryStart ? 'f' : 'm'}${from + i}`)
  }

  close(): void {
    this.world.close()
    for (const directory of this.#directories) directory.remove()
  }

  #write(partition: number): void {
    const segmentRecords = BATCHES_A_SEGMENT * RECORDS_A_BATCH
    for (let base = 0; base < this.endOffset(partition); base += segmentRecords) {
      const batches: Uint8Array[] = []
      for (let at = base; at < Math.min(base + segmentRecords, this.endOffset(partition)); at += RECORDS_A_BATCH)
        batches.push(fileBatch(at))
      this.directory(partition).write(base, batches)
    }
  }
}

function values(where: 'm' | 'f', offset: number): string[] {
  return Array.from({ length: RECORDS_A_BATCH }, (_, i) => `${where}${offset + i}`)
}

function fileBatch(offset: number): Uint8Array {
  const batch = textBatch(values('f', offset))
  stampBatch(batch, 0, offset, 1)
  return batch
}

/** What a loop is handed out; it goes on until it is ended. */
export class ReadingLoop {
  readonly read: string[] = []
  readonly batches: AsyncIterableIterator<ConsumerBatch<unknown, unknown>, undefined, void>
  readonly over: Promise<void>

  constructor(batches: AsyncIterableIterator<ConsumerBatch<unknown, unknown>, undefined, void>) {
    this.batches = batches
    this.over = (async () => {
      for await (const batch of batches) this.read.push(...recordsOf(batch))
    })()
    this.over.catch(() => undefined)
  }
}

/** Turns of the event loop until it is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
