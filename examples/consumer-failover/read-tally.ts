// How often each line was read, in memory that all threads share: what a thread has read by
// the time it is terminated is in it.
//
//   a byte a line:   partition 0, offsets 0, 1, 2 …  |  partition 1, offsets 0, 1, 2 …  |  …

export class ReadTally {
  readonly #partitions: number
  readonly #reads: Uint8Array

  constructor(buffer: SharedArrayBuffer, partitions: number) {
    this.#partitions = partitions
    this.#reads = new Uint8Array(buffer)
  }

  /** Room for `lines` lines, all of which may be in one partition. */
  static allocate(lines: number, partitions: number): SharedArrayBuffer {
    return new SharedArrayBuffer(lines * partitions)
  }

  add(partition: number, offset: number): void {
    Atomics.add(this.#reads, partition * this.#linesMax + offset, 1)
  }

  /** Lines read at least so often. */
  count(times: number): number {
    let count = 0
    for (const reads of this.#reads) if (reads >= times) count++
    return count
  }

  /** Offsets of a partition that were read at least so often. */
  offsets(partition: number, times: number): number[] {
    const reads = this.#reads.subarray(partition * this.#linesMax, (partition + 1) * this.#linesMax)
    return [...reads.keys()].filter((offset) => reads[offset]! >= times)
  }

  get #linesMax(): number {
    return this.#reads.length / this.#partitions
  }
}
