// Whether there is a BullMQ, and a Redis, to compare with. Loads no library.

/** A reason why it cannot run. */
export function noBullmq(): string | undefined {
  const { MILLRACE_BENCH_BULLMQ: folder, MILLRACE_BENCH_REDIS: redis } = process.env
  if (folder !== undefined && redis !== undefined) return undefined
  return 'no BullMQ was named: install it into a folder of its own, start a Redis, and set MILLRACE_BENCH_BULLMQ and MILLRACE_BENCH_REDIS'
}
