// Worker: appends chunks of one buffer to a new file, and syncs it from time to time, or never.

import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from 'node:fs'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { serve } from '../harness/thread-server.ts'

export interface RawAppend {
  readonly path: string
  readonly bytes: number
  readonly chunkBytes: number
  /** 0: never. */
  readonly syncEveryBytes: number
}

export interface RawAppended {
  readonly seconds: number
  readonly sizeInBytes: number
}

serve({
  append: ({ path, bytes, chunkBytes, syncEveryBytes }: RawAppend): RawAppended => {
    const chunk = new Uint8Array(chunkBytes).fill(1)
    const file = openSync(path, 'wx')
    try {
      const startSeconds = monotonicSeconds()
      for (let written = 0, synced = 0; written < bytes; ) {
        written += writeSync(file, chunk, 0, Math.min(chunkBytes, bytes - written), written)
        if (syncEveryBytes === 0 || (written - synced < syncEveryBytes && written < bytes)) continue
        fdatasyncSync(file)
        synced = written
      }
      const seconds = monotonicSeconds() - startSeconds
      return { seconds, sizeInBytes: fstatSync(file).size }
    } finally {
      closeSync(file)
    }
  },
})
