// Threads at full speed in a small arena: one writes and trims, some read. No byte that
// a reader hands out may be another batch's, though its memory is reused under it.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { LogMemory, allocateLogMemory } from '../../src/log/log-memory.ts'
import type { LogMemoryBuffers } from '../../src/log/log-memory.ts'
import { RETENTION_DEFAULT } from '../../src/log/log-memory-layout.ts'
import { initialiseSlot } from '../../src/log/partition-table.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'
import { MIB } from './log-fixture.ts'
import { BATCHES, OVERTAKEN, STALLS, STOP, TORN, WORDS } from './log-thread-words.ts'
import type { LogThreadData } from './log-threads.ts'

const THREADS_TIMEOUT_MS = 60_000

const logThread = await bundledEntry(new URL('./log-threads.ts', import.meta.url))

interface Runner {
  readonly words: Int32Array
  readonly worker: Worker
  readonly exited: Promise<unknown>
}

function start(data: Omit<LogThreadData, 'control'>): Runner {
  const control = new SharedArrayBuffer(WORDS * 4)
  const worker = new Worker(logThread, { workerData: { ...data, control } })
  return { words: new Int32Array(control), worker, exited: once(worker, 'exit') }
}

function makeBuffers(): LogMemoryBuffers {
  const buffers = allocateLogMemory({ logMemoryBytes: 16 * MIB, partitionsMax: 4 })
  const memory = new LogMemory(buffers)
  for (const slot of [0, 1]) initialiseSlot(memory, slot, [1, 1, 1, slot], slot, RETENTION_DEFAULT)
  return buffers
}

async function runUntil(runners: readonly Runner[], isOver: () => boolean): Promise<void> {
  const failed = Promise.race(runners.map(({ worker }) => once(worker, 'error').then(([error]) => Promise.reject(error as Error))))
  failed.catch(() => {})
  const looking = async (): Promise<void> => {
    while (!isOver()) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.race([looking(), failed])
  for (const { words } of runners) Atomics.store(words, STOP, 1)
  await Promise.all(runners.map(({ exited }) => exited))
}

test(
  'readers that keep up, and readers that stand still in the middle of a read: nothing torn, nothing left out',
  async () => {
    const buffers = makeBuffers()
    const writer = start({ role: 'writer', buffers, seed: 1 })
    const quick = start({ role: 'reader', buffers, seed: 2, slot: 0 })
    const halting = start({ role: 'reader', buffers, seed: 3, slot: 1, stallEvery: 3 })
    await runUntil(
      [writer, quick, halting],
      () => halting.words[OVERTAKEN]! >= 30 && halting.words[BATCHES]! >= 3_000 && quick.words[BATCHES]! >= 30_000,
    )
    expect([quick.words[TORN], halting.words[TORN]]).toEqual([0, 0])
    expect(halting.words[STALLS]).toBeGreaterThan(30)
  },
  THREADS_TIMEOUT_MS,
)

test(
  'a reader that leaves the re-check out hands out torn bytes under the same load: the load bites',
  async () => {
    const buffers = makeBuffers()
    const writer = start({ role: 'writer', buffers, seed: 4 })
    const unchecked = start({ role: 'reader', buffers, seed: 5, slot: 1, stallEvery: 3, unchecked: true })
    await runUntil([writer, unchecked], () => unchecked.words[TORN]! >= 3)
    expect(unchecked.words[TORN]).toBeGreaterThanOrEqual(3)
  },
  THREADS_TIMEOUT_MS,
)
