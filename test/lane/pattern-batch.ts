// Batches whose bytes tell which they are, so that a torn, doubled or lost one shows.

/** The bytes of batch `n`: its number and size, then a sequence of its own. */
export function fillPattern(target: Uint8Array, n: number, sizeBytes: number): void {
  for (let i = 8; i < sizeBytes; i++) target[i] = (n * 31 + i * 7 + (i >> 8)) & 255
  for (let i = 0; i < 4; i++) {
    target[i] = (n >>> (8 * i)) & 255
    target[4 + i] = (sizeBytes >>> (8 * i)) & 255
  }
}

export function patternBatch(n: number, sizeBytes: number): Uint8Array {
  const batch = new Uint8Array(sizeBytes)
  fillPattern(batch, n, sizeBytes)
  return batch
}

/** What is wrong with `bytes[start, end)` as batch `n`. */
export function patternFault(n: number, bytes: Uint8Array, start: number, end: number): string | undefined {
  const sizeBytes = end - start
  for (let i = 0; i < 4; i++) {
    if (bytes[start + i] !== ((n >>> (8 * i)) & 255)) return `not batch ${n}: byte ${i}`
    if (bytes[start + 4 + i] !== ((sizeBytes >>> (8 * i)) & 255)) return `batch ${n}: not of ${sizeBytes} bytes`
  }
  for (let i = 8; i < sizeBytes; i++) {
    if (bytes[start + i] !== ((n * 31 + i * 7 + (i >> 8)) & 255)) return `batch ${n}: torn at byte ${i} of ${sizeBytes}`
  }
  return undefined
}
