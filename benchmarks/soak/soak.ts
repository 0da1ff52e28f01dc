// C3: what memory a process holds that moves records at full speed for a long time. The first
// stretch warms it up; then each repetition is the next stretch, without a rest between them.

import type { Measurement, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { plainJavaScript } from '../harness/plain-javascript.ts'
import { residentOf } from '../harness/resident.ts'
import { slopeOf } from '../harness/statistics.ts'
import type { RoadOptions } from '../road/road.ts'
import type { MemorySample, SoakDetail } from './soak-metrics.ts'
import type { SoakOptions, Stretch } from './soak-road.ts'

export interface SoakCaseOptions {
  readonly road: RoadOptions
  readonly stretchSeconds: number
  readonly recordsAtOnce: number
}

const MIB = 1 << 20
/** Looks at memory in a stretch: enough for a line, however long it lasts. */
const SAMPLES = 60
const SAMPLE_MS_MIN = 100
const TIMES_AS_LONG = 3
const START_TIMEOUT_MS = 60_000

export async function openSoak({ road, stretchSeconds, recordsAtOnce }: SoakCaseOptions, context: OpenContext): Promise<Running> {
  const soak: SoakOptions = { road, stretchSeconds, recordsAtOnce }
  const plain = plainJavaScript(['harness', 'road', 'serde', 'soak', 'start'])
  const child = runChild(plain.url('soak/soak-road.js'), {
    args: [JSON.stringify(soak)],
    signal: context.signal,
    timeoutMs: START_TIMEOUT_MS + TIMES_AS_LONG * context.soakMinutes * 60_000,
  })
  const startSeconds = monotonicSeconds()
  const sample = (): MemorySample => {
    const { totalBytes, arenaBytes } = residentOf(child.pid, road.logMemoryBytes)
    return [monotonicSeconds() - startSeconds, totalBytes, arenaBytes]
  }
  try {
    await child.json<{ ready: true }>()
  } catch (error) {
    child.kill()
    plain.remove()
    throw error
  }
  /** After the warm-up. */
  const counted: MemorySample[] = []
  let stretches = 0
  return {
    async run(): Promise<Measurement> {
      const memory: MemorySample[] = []
      const timer = setInterval(() => memory.push(sample()), Math.max(SAMPLE_MS_MIN, (stretchSeconds * 1_000) / SAMPLES))
      let stretch: Stretch
      try {
        stretch = await child.json<Stretch>()
        memory.push(sample())
      } finally {
        clearInterval(timer)
      }
      const isWarmUp = stretches++ === 0
      if (!isWarmUp) counted.push(...memory)
      const { arrival, seconds } = stretch
      const most = (pick: (look: MemorySample) => number): number => Math.max(...memory.map(pick))
      return {
        arrival,
        bytes: arrival.records * road.valueBytes,
        seconds,
        values: {
          residentBytes: most(([, resident]) => resident),
          arenaBytes: most(([, , arena]) => arena),
          restBytes: most(([, resident, arena]) => resident - arena),
          slope: isWarmUp ? 0 : (slopeOf(counted.map(([at, resident]) => [at, resident] as const)) * 3_600) / MIB,
          recordsPerSecond: arrival.records / seconds,
        },
        detail: { isWarmUp, memory } satisfies SoakDetail,
      }
    },
    async close(): Promise<void> {
      child.finish()
      try {
        await child.ended()
      } finally {
        child.kill()
        plain.remove()
      }
    },
  }
}
