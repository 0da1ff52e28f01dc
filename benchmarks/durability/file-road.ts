// The road with files: S1's, with a data directory. Each repetition has a directory of its own, and
// a millrace of its own in it, which is warmed up there; only the second half is in the figure.

import { arrivalFault, throughput } from '../harness/bench-case.ts'
import type { Running } from '../harness/bench-case.ts'
import { logFileBytes, temporaryDirectory, warmPageCache } from '../harness/data-directory.ts'
import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'

/** Of the records of a repetition, before it. */
const WARM_UP_PART = 0.5

export type Durability = 'memory' | 'cache' | 'disk'

/** `logBytesPerRecord`: of a record in the files, what its batch costs included. */
export async function openFileRoad(options: RoadOptions, durability: Durability, logBytesPerRecord: number): Promise<Running> {
  return {
    async run(records) {
      const directory = temporaryDirectory()
      try {
        const warmUp = Math.ceil(records * WARM_UP_PART)
        warmPageCache(directory.path, Math.round((records + warmUp) * logBytesPerRecord))
        const topicConfig = { ...options.topicConfig, 'millrace.durability': durability }
        const road = await openRoad({ ...options, topicConfig, dataDir: directory.path })
        try {
          const warm = await road.run(warmUp)
          const fault = arrivalFault(warm.arrival!)
          if (fault !== undefined) throw new Error(`no result: ${fault}, warming up`)
          const before = logFileBytes(directory.path)
          const { arrival, bytes, seconds, values, detail } = await road.run(records)
          const writtenBytes = logFileBytes(directory.path) - before
          if (durability !== 'memory' && writtenBytes < bytes) throw new Error(`no result: ${writtenBytes} bytes are in the files`)
          const { cpuNs, paceWaits, drainWaits } = values
          return throughput(arrival!, bytes, seconds, {
            values: { writtenBytes, cpuNs: cpuNs!, paceWaits: paceWaits!, drainWaits: drainWaits! },
            ...(detail === undefined ? {} : { detail }),
          })
        } finally {
          await road.close()
        }
      } finally {
        directory.remove()
      }
    },
    close: async () => {},
  }
}
