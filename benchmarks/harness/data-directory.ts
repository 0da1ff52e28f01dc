// Where the cases with files write: a temporary directory on a disk, never in memory, made for
// one repetition and removed after it. MILLRACE_BENCH_DIR names another place for them.

import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { byteSize } from './format.ts'

export interface TemporaryDirectory {
  readonly path: string
  /** With all that is in it. */
  remove(): void
}

/** File systems that keep what is written in memory only (Linux: statfs(2)). */
const IN_MEMORY = new Set([0x0102_1994, 0x8584_58f6])
const WARM_CHUNK_BYTES = 1 << 20

/** The first of the usual places that is on a disk. */
function place(): string | undefined {
  const given = process.env['MILLRACE_BENCH_DIR']
  const places = given === undefined ? [tmpdir(), '/var/tmp', process.cwd()] : [resolve(given)]
  return places.find((path) => {
    try {
      return !IN_MEMORY.has(statfsSync(path).type)
    } catch {
      return false
    }
  })
}

/** A reason why nothing can be written here. `bytes`: what is needed at once. */
export function noDisk(bytes: number): string | undefined {
  const path = place()
  if (path === undefined) return 'no directory for temporary files that is on a disk: name one in MILLRACE_BENCH_DIR'
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  return free >= bytes ? undefined : `${byteSize(bytes)} on a disk are needed, ${path} has ${byteSize(free)}`
}

export function temporaryDirectory(): TemporaryDirectory {
  const parent = place()
  if (parent === undefined) throw new Error(noDisk(0))
  const path = mkdtempSync(join(parent, 'millrace-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** `ext4 at /tmp`: what the cases with files write to; undefined where nothing is known of it. */
export function diskOfDirectories(): string | undefined {
  const path = place()
  if (path === undefined) return undefined
  return `${fileSystemOf(path, readMounts())} at ${path}`
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return ''
  }
}

/** The type of the file system that is mounted nearest above a path, by the lines of /proc/self/mounts. */
export function fileSystemOf(path: string, mounts: string): string {
  let found = { point: '', type: 'an unknown file system' }
  for (const line of mounts.split('\n')) {
    const [, point = '', type = ''] = line.split(' ')
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`)
    // The last of those at one place lies on top.
    if (point !== '' && isAbove && point.length >= found.point.length) found = { point, type }
  }
  return found.type
}

/**
 * Has the system use so many bytes of memory for files, and give them back: what is written next takes pages that
 * were touched before. New pages of a virtual machine cost several times what the writing costs.
 */
export function warmPageCache(directory: string, bytes: number): void {
  const path = join(directory, 'warm')
  const chunk = new Uint8Array(WARM_CHUNK_BYTES)
  const file = openSync(path, 'wx')
  try {
    for (let written = 0; written < bytes; ) written += writeSync(file, chunk, 0, Math.min(chunk.length, bytes - written))
  } finally {
    closeSync(file)
    unlinkSync(path)
  }
}

/** Bytes of the .log files below a directory. */
export function logFileBytes(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith('.log')) bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return bytes
}
