// Resident memory of a process, as Linux counts it: all of it, and of that the arena of its log
// memory, which is the one private mapping of that size: with a stack or two that the kernel has
// joined to it.
//
//   /proc/PID/smaps   a head line a mapping, "start-end perms …", then "Size:  n kB", "Rss:  n kB", …

import { existsSync, readFileSync } from 'node:fs'

export interface Resident {
  readonly totalBytes: number
  readonly arenaBytes: number
}

const JOINED_BYTES_MAX = 64 * (1 << 20)

export function residentUnavailable(): string | undefined {
  return existsSync('/proc/self/smaps') ? undefined : 'there is no /proc/PID/smaps on this system'
}

export function residentOf(pid: number | 'self', logMemoryBytes: number): Resident {
  return residentIn(readFileSync(`/proc/${pid}/smaps`, 'utf8'), logMemoryBytes)
}

export function residentIn(smaps: string, logMemoryBytes: number): Resident {
  let totalBytes = 0
  const arenas: number[] = []
  for (const [, perms, sizeKib, rssKib] of smaps.matchAll(
    /^[0-9a-f]+-[0-9a-f]+ (\S{4}) .*\nSize:\s+(\d+) kB\n(?:(?!Rss).*\n)*Rss:\s+(\d+) kB$/gm,
  )) {
    const sizeBytes = Number(sizeKib) * 1_024
    const rssBytes = Number(rssKib) * 1_024
    totalBytes += rssBytes
    if (perms === 'rw-p' && sizeBytes >= logMemoryBytes && sizeBytes < logMemoryBytes + JOINED_BYTES_MAX)
      arenas.push(Math.min(rssBytes, logMemoryBytes))
  }
  if (arenas.length !== 1) throw new Error(`${arenas.length} mappings have the size of the log memory, not one`)
  return { totalBytes, arenaBytes: arenas[0]! }
}
