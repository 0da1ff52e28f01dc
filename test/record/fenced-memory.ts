// Memory in which only the batches can be read, for what a comparison of results cannot
// show: a byte outside that was looked at, and did not matter.

import type { Bytes } from './plain-batch.ts'

/**
 * An array in place of a Uint8Array: an index that it does not have is looked up in its
 * prototype, and that has a getter for each, which tells.
 */
export class FencedMemory {
  readonly bytes: number[] = []
  readonly #readOutside = new Set<number>()

  constructor(length: number) {
    const fence = Object.create(Array.prototype) as object
    for (let i = 0; i < length; i++) {
      const get = (): number => {
        this.#readOutside.add(i)
        return 0
      }
      Object.defineProperty(fence, i, { get })
    }
    Object.setPrototypeOf(this.bytes, fence)
  }

  /** What src/record reads outside the batches that are put at `start`. */
  readOutside(batches: Bytes, start: number, read: (bytes: Uint8Array, end: number) => unknown): number[] {
    const end = start + batches.length
    for (let i = 0; i < batches.length; i++) Object.defineProperty(this.bytes, start + i, { value: batches[i]!, configurable: true })
    this.#readOutside.clear()
    read(this.bytes as unknown as Uint8Array, end)
    this.bytes.length = 0
    return [...this.#readOutside].map((at) => at - start)
  }
}
