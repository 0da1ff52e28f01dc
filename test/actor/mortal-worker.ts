// A thread that can be asked to die in every way a thread dies.

import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { connectControl, exposeControl } from '../../src/actor/control-channel.ts'

export interface MortalStart {
  readonly port: MessagePort
  /** A neighbour whose death this thread writes down: 1 in `noticed`. */
  readonly neighbour?: MessagePort
  readonly noticed?: Int32Array<SharedArrayBuffer>
  /** This thread ends itself when the word is no longer 0. */
  readonly dieAt?: Int32Array<SharedArrayBuffer>
}

export class Mortal {
  echo(text: string): string {
    return text
  }

  never(): Promise<void> {
    return new Promise(() => {})
  }

  exit(): Promise<void> {
    setImmediate(() => process.exit(3))
    return new Promise(() => {})
  }

  /** Answers, and is gone before anybody has read it. */
  lastWords(): string {
    setImmediate(() => process.exit(0))
    return 'goodbye'
  }

  throwUncaught(): Promise<void> {
    setImmediate(() => {
      throw Object.assign(new RangeError('nobody catches this'), { code: 'EBAD' })
    })
    return new Promise(() => {})
  }

  rejectUnhandled(): Promise<void> {
    setImmediate(() => void Promise.reject(new Error('nobody handles this')))
    return new Promise(() => {})
  }

  fillHeap(): Promise<void> {
    setImmediate(() => {
      const kept: unknown[] = []
      for (;;) kept.push(new Array(10_000).fill({}))
    })
    return new Promise(() => {})
  }

  /** Never gives its event loop a turn again. */
  spin(started: Int32Array): void {
    Atomics.store(started, 0, 1)
    for (;;) Atomics.load(started, 0)
  }
}

const { port, neighbour, noticed, dieAt } = workerData as MortalStart
exposeControl(port, new Mortal(), { ref: true })
if (neighbour !== undefined && noticed !== undefined) {
  connectControl<Mortal>(neighbour, { name: 'neighbour' })
    .with({})
    .never()
    .catch((error: { code: string }) => {
      Atomics.store(noticed, 0, error.code === 'THREAD_DIED' ? 1 : 2)
      Atomics.notify(noticed, 0)
    })
}
if (neighbour !== undefined && dieAt !== undefined) {
  exposeControl(neighbour, new Mortal())
  const look = (): void => {
    if (Atomics.load(dieAt, 0) !== 0) process.exit(0)
    setImmediate(look)
  }
  look()
}
