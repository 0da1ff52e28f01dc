// CPU time and wake-ups of every thread of another process, as Linux counts them: nothing
// runs inside the process that is watched.
//
//   /proc/PID/task/TID/schedstat   "<ns on a core> <ns waiting for a core> <time slices>"
//   /proc/PID/task/TID/status      voluntary_ctxt_switches: how often it went to sleep by itself,
//                                  so at least as many as the times it was woken

import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  readonly threads: number
  readonly cpuNs: number
  readonly sleeps: number
}

export function unavailable(): string | undefined {
  return existsSync('/proc/self/schedstat') ? undefined : 'there is no /proc/PID/schedstat on this system'
}

export function usageOf(pid: number): Usage {
  let cpuNs = 0
  let sleeps = 0
  const threads = readdirSync(`/proc/${pid}/task`)
  for (const thread of threads) {
    const path = `/proc/${pid}/task/${thread}`
    cpuNs += Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ', 1)[0])
    sleeps += Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`${path}/status`, 'utf8'))?.[1] ?? Number.NaN)
  }
  return { threads: threads.length, cpuNs, sleeps }
}
