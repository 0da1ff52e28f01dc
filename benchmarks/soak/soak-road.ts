// A process that runs the road at full speed, stretch after stretch, until its standard input
// ends. Started by soak.ts, which watches its memory from outside. Prints a line when it is open
// and one a stretch, and ends by itself.

import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'
import type { Arrival } from '../harness/bench-case.ts'

export interface SoakOptions {
  readonly road: RoadOptions
  readonly stretchSeconds: number
  /** So many are counted and summed at a time; the road does not rest in between. */
  readonly recordsAtOnce: number
}

export interface Stretch {
  readonly arrival: Arrival
  readonly seconds: number
}

const { road: options, stretchSeconds, recordsAtOnce } = JSON.parse(process.argv[2] ?? '') as SoakOptions
const road = await openRoad(options)
let ended = false
process.stdin.once('end', () => (ended = true)).resume()
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

try {
  say({ ready: true })
  while (!ended) {
    const arrival = { records: 0, checksum: 0, expectedRecords: 0, expectedChecksum: 0 }
    let seconds = 0
    while (!ended && seconds < stretchSeconds) {
      const part = await road.run(recordsAtOnce)
      for (const key of Object.keys(arrival) as (keyof Arrival)[]) arrival[key] += part.arrival![key]
      seconds += part.seconds
    }
    say({ arrival, seconds } satisfies Stretch)
  }
} finally {
  await road.close()
}
