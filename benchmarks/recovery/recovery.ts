// C6: how long a data directory takes until it serves, after a SIGKILL under load and after a clean stop.
// One directory for all contenders: it is filled once, and each repetition goes on in it.
//
//   fill ─▶ [ load ─▶ SIGKILL, or nothing after a clean stop ] ─▶ caches dropped? ─▶ open, measured, checked, closed ─▶ …

import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { runChild } from '../harness/child.ts'
import { logFileBytes, temporaryDirectory } from '../harness/data-directory.ts'
import type { TemporaryDirectory } from '../harness/data-directory.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { BUILT, SOURCES } from '../start/start.ts'
import type { LoadOptions } from './recovery-load.ts'
import type { Ready, ReadyOptions } from './recovery-ready.ts'

export const RECOVERY_METRICS = {
  processMs: { title: 'start of the process → ready', unit: 'ms', better: 'lower' },
  readyMs: { title: 'openMillrace → ready', unit: 'ms', better: 'lower' },
  openMs: { title: 'openMillrace', unit: 'ms', better: 'lower' },
  producedMs: { title: 'openMillrace → first ack', unit: 'ms', better: 'lower' },
  logBytes: { title: 'in the files', unit: 'B', better: 'higher' },
} as const satisfies Record<string, Metric>

/** What went before the measured opening. */
export type Before = 'kill' | 'kill, cold' | 'clean stop' | 'clean stop, cold'

export interface RecoverySize {
  readonly partitions: number
  readonly recordsPerPartition: number
  readonly valueBytes: number
  /** How long it is written to before it is killed. */
  readonly loadMs: number
}

const DROP_CACHES = '/proc/sys/vm/drop_caches'
const CHILD_TIMEOUT_MS = 600_000

export function cannotDropCaches(): string | undefined {
  try {
    accessSync(DROP_CACHES, constants.W_OK)
    return undefined
  } catch {
    return `the page cache cannot be dropped: only root may write to ${DROP_CACHES}`
  }
}

/** Written pages too, so that all is read from the disk. */
function dropCaches(): void {
  execFileSync('sync')
  writeFileSync(DROP_CACHES, '3')
}

class RecoveryDirectory {
  readonly #directory: TemporaryDirectory = temporaryDirectory()
  readonly #size: RecoverySize
  readonly #common: Omit<ReadyOptions, 'startSeconds'>

  constructor(size: RecoverySize) {
    this.#size = size
    const { partitions, valueBytes } = size
    const module = (existsSync(BUILT) ? BUILT : SOURCES).href
    const ackFile = join(this.#directory.path, 'acks')
    writeFileSync(ackFile, Buffer.alloc(partitions * 8))
    this.#common = { module, dataDir: join(this.#directory.path, 'data'), ackFile, partitions, valueBytes }
  }

  async fill(signal: AbortSignal): Promise<void> {
    const child = this.#load(this.#size.recordsPerPartition, signal)
    await child.json()
    await child.ended()
  }

  /** Writes for a while, and is killed in the middle of it. */
  async kill(signal: AbortSignal): Promise<void> {
    const child = this.#load(undefined, signal)
    await child.json()
    await sleep(this.#size.loadMs)
    child.kill()
    await child.ended().catch(() => undefined)
  }

  async open(signal: AbortSignal): Promise<Ready> {
    const options: ReadyOptions = { ...this.#common, startSeconds: monotonicSeconds() }
    const script = new URL('./recovery-ready.ts', import.meta.url)
    const child = runChild(script, { args: [JSON.stringify(options)], signal, timeoutMs: CHILD_TIMEOUT_MS })
    const ready = await child.json<Ready>()
    await child.ended()
    return ready
  }

  get logBytes(): number {
    return logFileBytes(this.#common.dataDir)
  }

  remove(): void {
    this.#directory.remove()
  }

  #load(recordsPerPartition: number | undefined, signal: AbortSignal): ReturnType<typeof runChild> {
    const options: LoadOptions = { ...this.#common, recordsPerPartition }
    const script = new URL('./recovery-load.ts', import.meta.url)
    return runChild(script, { args: [JSON.stringify(options)], signal, timeoutMs: CHILD_TIMEOUT_MS })
  }
}

/** The one directory; it goes with this process. */
let shared: { readonly directory: RecoveryDirectory; readonly filled: Promise<void> } | undefined

function sharedDirectory(size: RecoverySize, signal: AbortSignal): NonNullable<typeof shared> {
  if (shared !== undefined) return shared
  const directory = new RecoveryDirectory(size)
  process.once('exit', () => directory.remove())
  shared = { directory, filled: directory.fill(signal) }
  return shared
}

export async function openRecovery(before: Before, size: RecoverySize, { signal }: OpenContext): Promise<Running> {
  const { directory, filled } = sharedDirectory(size, signal)
  await filled
  return {
    async run(): Promise<Measurement> {
      if (before.startsWith('kill')) await directory.kill(signal)
      if (before.endsWith('cold')) dropCaches()
      const { whole, acknowledged, ...times } = await directory.open(signal)
      const { logBytes } = directory
      return {
        arrival: { records: whole, checksum: 0, expectedRecords: size.partitions, expectedChecksum: 0 },
        bytes: logBytes,
        seconds: times.processMs / 1_000,
        values: { ...times, logBytes },
        detail: { acknowledged },
      }
    },
    close: async () => {},
  }
}
