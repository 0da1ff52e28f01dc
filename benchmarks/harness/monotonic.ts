// One clock for all threads: seconds of the machine's monotonic clock. `performance.now`
// counts from the start of each thread and cannot be compared between two.

export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9
}
