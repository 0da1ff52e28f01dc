// The yardstick of the roads with files, which no change of ours can move: a thread that does
// nothing but append as many bytes to a new file, in chunks as large as ours.

import { join } from 'node:path'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { BenchThread } from '../harness/bench-thread.ts'
import { temporaryDirectory, warmPageCache } from '../harness/data-directory.ts'
import type { RawAppend, RawAppended } from './raw-append-thread.ts'

export interface RawAppendOptions {
  /** Of a record in the files of the road. */
  readonly logBytesPerRecord: number
  readonly valueBytes: number
  readonly chunkBytes: number
  /** 0: never. */
  readonly syncEveryBytes: number
}

export async function openRawAppend(options: RawAppendOptions): Promise<Running> {
  const thread = new BenchThread('raw-append', new URL('./raw-append-thread.ts', import.meta.url))
  const { logBytesPerRecord, valueBytes, chunkBytes, syncEveryBytes } = options
  return {
    async run(records: number): Promise<Measurement> {
      const directory = temporaryDirectory()
      try {
        const bytes = Math.round(records * logBytesPerRecord)
        warmPageCache(directory.path, bytes)
        const question: RawAppend = { path: join(directory.path, 'raw'), bytes, chunkBytes, syncEveryBytes }
        const { seconds, sizeInBytes } = await thread.ask<RawAppended>('append', question)
        if (sizeInBytes !== bytes) throw new Error(`no result: ${sizeInBytes} of ${bytes} bytes are in the file`)
        return {
          arrival: null,
          bytes,
          seconds,
          values: { recordsPerSecond: records / seconds, bytesPerSecond: (records * valueBytes) / seconds, writtenBytes: sizeInBytes },
        }
      } finally {
        directory.remove()
      }
    },
    close: () => thread.close(),
  }
}
