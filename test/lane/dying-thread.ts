// The threads of lane-kill.test.ts: one side of a lane at full speed, until it reaches
// the kill point at which it is to die, where it stands still until it is terminated.

import { parentPort, workerData } from 'node:worker_threads'
import { Bells } from '../../src/bells.ts'
import { killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { seededRandom } from '../../src/random.ts'
import { FAULTS, IN_WORK, NEVER, OFFERS_RETURNED } from './dying-words.ts'
import { fillPattern, patternFault } from './pattern-batch.ts'

export interface DyingData {
  readonly role: 'producer' | 'broker'
  readonly lane: SharedArrayBuffer
  readonly bells: SharedArrayBuffer
  readonly control: SharedArrayBuffer
  readonly seed: number
  /** Where to stand still, and at which time of passing; without a point it runs until it is terminated. */
  readonly point: KillPoint | undefined
  readonly passing: number
}

const data = workerData as DyingData
const bells = new Bells(data.bells)
const control = new Int32Array(data.control)
const random = seededRandom(data.seed)

let passings = 0
if (data.point !== undefined) {
  killPoints.hook = (point) => {
    if (point !== data.point || ++passings !== data.passing) return
    parentPort!.postMessage('standing at the point')
    Atomics.wait(control, NEVER, 0)
  }
}

function produce(): void {
  const writer = new LaneWriter(data.lane, (id) => bells.ring(id))
  const batch = new Uint8Array(2_000)
  for (let n = 0; ; n++) {
    const sizeBytes = 61 + random.below(1_900)
    fillPattern(batch, n, sizeBytes)
    writer.frame.batchId = n
    for (;;) {
      Atomics.store(control, IN_WORK, 1)
      const answer = writer.offer(batch, 0, sizeBytes)
      if (answer === OFFERED) Atomics.add(control, OFFERS_RETURNED, 1)
      Atomics.store(control, IN_WORK, 0)
      if (answer === OFFERED) break
      // One that dies at a random instant does not sleep: it is to be found at work.
      if (data.point !== undefined) Atomics.wait(control, NEVER, 0, 0.05)
    }
  }
}

function takeAndAck(): void {
  const reader = new LaneReader(data.lane, (id) => bells.ring(id))
  const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
    if (patternFault(reader.frame.batchId, bytes, start, end) !== undefined) Atomics.add(control, FAULTS, 1)
    reader.ack(reader.frame.batchId, 0, reader.frame.batchId * 3, 0)
  }
  for (;;) {
    Atomics.store(control, IN_WORK, 1)
    const frames = reader.poll({ onFrame }, 2_000)
    reader.flush()
    Atomics.store(control, IN_WORK, 0)
    if (frames === 0) Atomics.wait(control, NEVER, 0, 0.05)
  }
}

if (data.role === 'producer') produce()
else takeAndAck()
