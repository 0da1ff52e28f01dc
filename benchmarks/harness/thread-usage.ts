// CPU time and wake-ups of the threads of a process, as Linux counts them: nothing runs
// inside the threads that are watched.
//
//   /proc/PID/task/TID/comm        the thread's name, its first 15 characters
//   /proc/PID/task/TID/schedstat   "<ns on a core> <ns waiting for a core> <time slices>"
//   /proc/PID/task/TID/status      voluntary_ctxt_switches: how often it went to sleep by itself,
//                                  so at least as many as the times it was woken

import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  readonly threads: number
  readonly cpuNs: number
  readonly sleeps: number
}

const NAME_BYTES = 15

export function unavailable(): string | undefined {
  return existsSync('/proc/self/schedstat') ? undefined : 'there is no /proc/PID/schedstat on this system'
}

/** Of some threads of a process, by the kernel's ids, or of all. */
export function usageOf(pid: number, threads: readonly string[] = readdirSync(`/proc/${pid}/task`)): Usage {
  let cpuNs = 0
  let sleeps = 0
  for (const thread of threads) {
    const path = `/proc/${pid}/task/${thread}`
    cpuNs += Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ', 1)[0])
    sleeps += Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`${path}/status`, 'utf8'))?.[1] ?? Number.NaN)
  }
  return { threads: threads.length, cpuNs, sleeps }
}

/** The kernel's ids of the threads of a process that have this name. */
export function threadsNamed(pid: number, name: string): string[] {
  const comm = name.slice(0, NAME_BYTES)
  return readdirSync(`/proc/${pid}/task`).filter((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trimEnd() === comm)
}
