// The I/O thread's part of the worker entry: everything it needs of the real world is put
// in its hands here. Runs once an I/O thread.

import { workerThreadSpawner } from '../actor/worker-thread.ts'
import { systemClock } from '../clock.ts'
import { fileDisk } from '../disk/file-disk.ts'
import { engineRandom } from '../random.ts'
import { cleanerPool } from '../storage/cleaner-pool.ts'
import { recoveryPool } from '../storage/recovery-pool.ts'
import { DataDirectoryLock } from '../storage/data-directory-lock.ts'
import { runningProcess } from '../storage/running-process.ts'
import { CleanerThreads } from './cleaner-threads.ts'
import { IoActor } from './io-actor.ts'
import type { IoInit } from './io-init.ts'

/** The I/O thread that had the directory has died, and no other one follows: the next millrace may have it. */
export function releaseDirectory(dataDir: string, holder: string): void {
  const disk = fileDisk()
  DataDirectoryLock.releaseLeft({ disk, path: dataDir, self: runningProcess(disk, holder), random: engineRandom })
}

/** `onFatal`: it cannot go on, and its thread must end. */
export function startIoThread(init: IoInit, onFatal: (error: unknown) => void): void {
  const disk = fileDisk()
  const { workerUrl } = init
  new IoActor(init, {
    clock: systemClock,
    random: engineRandom,
    disk,
    // One thread after the other of one millrace; another millrace of this process is another holder.
    process: runningProcess(disk, init.holder),
    recoveryThreads: recoveryPool,
    cleanerPool: (threads) =>
      workerUrl === undefined ? cleanerPool(threads) : new CleanerThreads(new URL(workerUrl), workerThreadSpawner),
    onFatal,
  })
}
