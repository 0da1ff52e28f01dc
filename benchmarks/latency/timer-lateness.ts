// The user's timers: one short timer after another on the main thread, and how late each fired.

export interface Lateness {
  readonly timers: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
}

const TIMER_MS = 5

/** Watches the timers of this thread until `work` settles. */
export async function latenessDuring<T>(work: () => Promise<T>): Promise<{ result: T; lateness: Lateness }> {
  const late: number[] = []
  let dueMs = performance.now() + TIMER_MS
  let timer: NodeJS.Timeout
  const fire = (): void => {
    const nowMs = performance.now()
    late.push(Math.max(0, nowMs - dueMs))
    dueMs = nowMs + TIMER_MS
    timer = setTimeout(fire, TIMER_MS)
  }
  timer = setTimeout(fire, TIMER_MS)
  try {
    const result = await work()
    // A timer that is overdue now was kept waiting to the end.
    late.push(Math.max(0, performance.now() - dueMs))
    late.sort((a, b) => a - b)
    const at = (q: number): number => late[Math.min(late.length - 1, Math.floor(late.length * q))] ?? 0
    return { result, lateness: { timers: late.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: late.at(-1) ?? 0 } }
  } finally {
    clearTimeout(timer)
  }
}
