// Answers each odd number in `turn` with the next even one, sleeping in between.

import { workerData } from 'node:worker_threads'
import { Bells } from '../../src/bells.ts'
import type { ThreadId } from '../../src/ids.ts'
import { ThreadParker } from '../../src/actor/thread-parker.ts'

interface Start {
  readonly bells: SharedArrayBuffer
  readonly turn: Int32Array
  readonly id: ThreadId
  readonly other: ThreadId
  readonly rounds: number
}

const { bells: buffer, turn, id, other, rounds } = workerData as Start
const bells = new Bells(buffer)
const parker = new ThreadParker(bells, id)
for (let round = 0; round < rounds; round++) {
  await parker.wait(() => Atomics.load(turn, 0) === 2 * round + 1)
  Atomics.store(turn, 0, 2 * round + 2)
  bells.ring(other)
}
parker.close()
