// Where threads may spin: millrace does so only where the cores exceed the live threads by more than one.

import type { OpenContext } from '../harness/bench-case.ts'

/** Producer, broker, reader, main. */
const SPIN_THREADS = 4

/** A reason why contenders that spin cannot run here. */
export function cannotSpin({ machine }: OpenContext): string | undefined {
  const wanted = SPIN_THREADS + 2
  if (machine.cores >= wanted) return undefined
  return `spinning needs a core for each thread and one to spare: ${wanted} cores, this machine has ${machine.cores}`
}
