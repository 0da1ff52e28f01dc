// The other side of the ping-pong in bells.test.ts: it takes the odd turns.

import { workerData } from 'node:worker_threads'
import { Bells } from '../src/bells.ts'
import type { ThreadId } from '../src/ids.ts'

const { buffer, turns, self, peer, rounds } = workerData as {
  buffer: SharedArrayBuffer
  turns: SharedArrayBuffer
  self: ThreadId
  peer: ThreadId
  rounds: number
}
const bells = new Bells(buffer)
const words = new Int32Array(turns)

for (let turn = 1; turn < rounds * 2; turn += 2) {
  while (Atomics.load(words, 0) !== turn) {
    bells.arm(self)
    if (Atomics.load(words, 0) === turn) {
      bells.disarm(self)
      break
    }
    // A pending wait does not keep a thread alive; blocking one does, and a test may.
    Atomics.wait(bells.words, self * 16, 1)
  }
  Atomics.store(words, 0, turn + 1)
  bells.ring(peer)
}
