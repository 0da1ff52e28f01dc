// Which segments a partition's directory holds, by base offset (Kafka: LogSegments).
// Pure; any thread.

const LOG_FILE = /^(\d{20})\.log$/

/** The base offsets of the `.log` files among these names, ascending. */
export function listedBaseOffsets(names: readonly string[]): number[] {
  const baseOffsets: number[] = []
  for (const name of names) {
    const digits = LOG_FILE.exec(name)?.[1]
    if (digits !== undefined && Number.isSafeInteger(Number(digits))) baseOffsets.push(Number(digits))
  }
  return baseOffsets.sort((a, b) => a - b)
}

/** `00000000000000001600.log`, with its directory. */
export function segmentPath(directory: string, baseOffset: number, suffix: 'log' | 'index' | 'timeindex'): string {
  return `${directory}/${String(baseOffset).padStart(20, '0')}.${suffix}`
}

/** Where the last base offset that is not above `offset` stands in the ascending list; -1 when all are above. */
export function findSegment(baseOffsets: readonly number[], offset: number): number {
  let low = 0
  let high = baseOffsets.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (baseOffsets[middle]! <= offset) low = middle + 1
    else high = middle - 1
  }
  return high
}
