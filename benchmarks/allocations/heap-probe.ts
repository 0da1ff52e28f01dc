// Preloaded into every thread of a process (`node --import`): answers a broadcast by starting or
// stopping the sampling heap profiler of its own thread. So the threads of millrace are
// profiled as they are, with nothing in them that knows of it.

import { Session } from 'node:inspector'
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads'

export const PROBE_CHANNEL = 'bench-heap-probe'
/** Mean distance of two samples, in allocated bytes. */
export const SAMPLING_INTERVAL_BYTES = 2_048

export type ProbeCommand =
  | { readonly command: 'start' }
  | { readonly command: 'stop' }
  /** Control: allocate about so many bytes of small objects at once. */
  | { readonly command: 'allocate'; readonly bytes: number }

export interface Allocator {
  readonly where: string
  readonly bytes: number
}

export interface ProbeAnswer {
  readonly answer: ProbeCommand['command']
  readonly threadId: number
  readonly main: boolean
  readonly bytes: number
  /** The functions that allocated most. */
  readonly top: readonly Allocator[]
}

interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly selfSize: number
  readonly children: readonly ProfileNode[]
}

const TOP = 8

const session = new Session()
const channel = new BroadcastChannel(PROBE_CHANNEL)
let kept: unknown[] = []

function answer(command: ProbeCommand['command'], bytes: number, top: readonly Allocator[]): void {
  channel.postMessage({ answer: command, threadId, main: isMainThread, bytes, top } satisfies ProbeAnswer)
}

function totals(head: ProfileNode): { bytes: number; top: Allocator[] } {
  const places = new Map<string, number>()
  let bytes = 0
  const visit = (node: ProfileNode): void => {
    const { functionName, url, lineNumber } = node.callFrame
    const where = `${functionName === '' ? '(anonymous)' : functionName} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`
    if (node.selfSize > 0) places.set(where, (places.get(where) ?? 0) + node.selfSize)
    bytes += node.selfSize
    for (const child of node.children) visit(child)
  }
  visit(head)
  const top = [...places].map(([where, size]) => ({ where, bytes: size })).toSorted((a, b) => b.bytes - a.bytes)
  return { bytes, top: top.slice(0, TOP) }
}

function start(): void {
  session.connect()
  session.post('HeapProfiler.startSampling', {
    samplingInterval: SAMPLING_INTERVAL_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  answer('start', 0, [])
}

function stop(): void {
  session.post('HeapProfiler.stopSampling', (error, result) => {
    if (error !== null) throw error
    const { bytes, top } = totals(result.profile.head as ProfileNode)
    session.disconnect()
    kept = []
    answer('stop', bytes, top)
  })
}

function allocate(bytes: number): void {
  kept = []
  for (let at = 0; at < bytes; at += 64) kept.push({ at, twice: at })
  answer('allocate', bytes, [])
}

channel.onmessage = (event): void => {
  const message = (event as unknown as { data: ProbeCommand | ProbeAnswer }).data
  if (!('command' in message)) return
  if (message.command === 'start') start()
  else if (message.command === 'stop') stop()
  else allocate(message.bytes)
}
// The probe must not keep its thread alive.
channel.unref()
