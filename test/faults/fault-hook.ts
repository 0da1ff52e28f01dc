// Sets the kill points of this broker thread as the test has said in its fault words.
// Imported before the broker itself.

import { workerData } from 'node:worker_threads'
import { killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { FaultWords } from './fault-words.ts'

export interface FaultData {
  /** The I/O thread has none, and never fails at a point. */
  readonly brokerId?: number
  readonly faults: SharedArrayBuffer
}

const { brokerId, faults } = workerData as FaultData
const words = new FaultWords(faults)

if (brokerId !== undefined) killPoints.hook = (point) => hook(brokerId, point)

function hook(brokerId: number, point: KillPoint): void {
  switch (words.pass(brokerId, point)) {
    case 'park':
      return words.stand(brokerId)
    case 'throw':
      throw new Error(`fault at ${point}`)
    case 'exit':
      return process.exit(1)
    case 'outOfMemory':
      return fillHeap()
    case undefined:
      return undefined
  }
}

/** Returns only by the death of the thread. */
function fillHeap(): never {
  const kept: string[][] = []
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => `${kept.length}-${i}`))
}
