// The yardstick that no change of ours can move: the same five steps as bare loops and bulk
// copies. A record is a length and a value (peers/packed-records.ts); there is no header, no
// offset, no check, no publication.
//
//   value ─set─▶ private batch ─copy─▶ lane ─copy─▶ arena ─copy─▶ private memory ─walk─▶ sum

import { packRecords, walkPacked } from '../peers/packed-records.ts'
import { stopwatch } from './stopwatch.ts'
import type { StageNs } from './stopwatch.ts'

// One plain memmove, on shared memory too; TypedArray.set is slower there.
const copyBytes = Buffer.prototype.copy

export interface StageResult {
  readonly records: number
  readonly checksum: number
  readonly ns: StageNs
}

export interface RawOptions {
  readonly batchBytes: number
  readonly chunkBatches: number
  readonly arenaBytes: number
}

export class RawStages {
  readonly #chunkBatches: number
  readonly #batchBytes: number
  readonly #batches: Uint8Array<ArrayBuffer>[]
  readonly #lane: Uint8Array<SharedArrayBuffer>
  readonly #arena: Uint8Array<SharedArrayBuffer>
  readonly #out: Uint8Array<ArrayBuffer>
  #arenaAt = 0

  constructor({ batchBytes, chunkBatches, arenaBytes }: RawOptions) {
    this.#chunkBatches = chunkBatches
    this.#batchBytes = batchBytes
    this.#batches = Array.from({ length: chunkBatches }, () => new Uint8Array(batchBytes))
    this.#lane = new Uint8Array(new SharedArrayBuffer(chunkBatches * batchBytes))
    this.#arena = new Uint8Array(new SharedArrayBuffer(arenaBytes))
    this.#out = new Uint8Array(batchBytes)
  }

  run(records: number, value: Uint8Array): StageResult {
    const watch = stopwatch()
    const walk = { records: 0, checksum: 0 }
    for (let sent = 0; sent < records; ) sent = this.#chunk(sent, records, value, watch, walk)
    return { ...walk, ns: watch.perRecord(records) }
  }

  /** One chunk through all five steps, each alone; gives the first record that was not in it. */
  #chunk(
    from: number,
    to: number,
    value: Uint8Array,
    watch: ReturnType<typeof stopwatch>,
    walk: { records: number; checksum: number },
  ): number {
    const bytes = this.#batchBytes
    watch.start()
    let next = from
    let filled = 0
    while (filled < this.#chunkBatches && next < to) next = packRecords(this.#batches[filled++]!, value, next, to)
    watch.lap('encode')
    for (let i = 0; i < filled; i++) copyBytes.call(this.#batches[i]!, this.#lane, i * bytes, 0, bytes)
    watch.lap('lane')
    if (this.#arenaAt + filled * bytes > this.#arena.length) this.#arenaAt = 0
    const start = this.#arenaAt
    for (let i = 0; i < filled; i++) copyBytes.call(this.#lane, this.#arena, start + i * bytes, i * bytes, (i + 1) * bytes)
    this.#arenaAt += filled * bytes
    watch.lap('append')
    for (let i = 0; i < filled; i++) {
      copyBytes.call(this.#arena, this.#out, 0, start + i * bytes, start + (i + 1) * bytes)
      watch.lap('copyOut')
      walkPacked(this.#out, walk)
      watch.lap('walk')
    }
    return next
  }
}
