// This process as a data directory's lock names it, and whether another one runs. Linux keeps
// all of it in /proc. Elsewhere nobody tells when a process started or the machine did: there a pid
// that was given again keeps a directory locked, and every stop of the machine is thought possible.

import { errnoOf } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import type { ProcessIdentity } from './data-directory-lock.ts'

const PROC_BYTES_MAX = 4096
/** The fields of /proc/<pid>/stat behind the command, which may hold anything: state is the 3rd of all, starttime the 22nd. */
const STATE = 0
const START_TIME = 19

/** `disk` reads /proc: the real one. `holder`: see ProcessIdentity. */
export function runningProcess(disk: Disk, holder?: string): ProcessIdentity {
  const started = startOf(disk, 'self')
  return {
    pid: process.pid,
    startedAt: started ?? '',
    bootId: readProc(disk, '/proc/sys/kernel/random/boot_id') ?? '',
    host: readProc(disk, '/proc/sys/kernel/hostname') ?? '',
    ...(holder === undefined ? {} : { holder }),
    isRunning: (pid, startedAt) =>
      started === undefined || startedAt === '' ? answersSignals(pid) : startOf(disk, String(pid)) === startedAt,
  }
}

/** When a process started, in ticks since the machine did; undefined where none runs. What waits to be reaped runs no more. */
function startOf(disk: Disk, pid: string): string | undefined {
  const stat = readProc(disk, `/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return /^[ZX]/.test(fields[STATE] ?? '') ? undefined : fields[START_TIME]
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and another user's.
    return errnoOf(error) === 'EPERM'
  }
}

// Its files say they are empty, so they are not asked for their size.
function readProc(disk: Disk, path: string): string | undefined {
  const bytes = new Uint8Array(PROC_BYTES_MAX)
  try {
    const file = disk.open(path, 'read')
    try {
      return new TextDecoder().decode(bytes.subarray(0, file.read(bytes, 0, PROC_BYTES_MAX, 0))).trim()
    } finally {
      file.close()
    }
  } catch (error) {
    if (errnoOf((error as Error).cause) !== undefined) return undefined
    throw error
  }
}
