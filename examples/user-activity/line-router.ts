// Bytes in, lines out: each line goes to the producer thread of its client.
//
// Which thread is decided by a hash of the line's first word, so all lines of a
// client go the same way and stay in order. Runs on the main thread, which looks
// at a line no further than that; parsing is the producer threads' work.
//
// Lines leave as one message for each producer and piece of input: their bytes end
// to end, where each ends, and its number in the input.

/** A line may be this long; of a longer one only the beginning is kept, one byte more than this, and it is malformed. */
export const LINE_BYTES_MAX = 65_536

export interface LineChunk {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each line ends in `bytes`. */
  readonly ends: Uint32Array<ArrayBuffer>
  /** The number of each line in its input, from 1. */
  readonly numbers: Uint32Array<ArrayBuffer>
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const SPACE = 32

export class LineRouter {
  readonly #piles: LinePile[]
  #lineNumber = 0
  /** The beginning of a line whose end has not come yet. */
  #open: Uint8Array = new Uint8Array(0)

  constructor(producers: number) {
    this.#piles = Array.from({ length: producers }, () => new LinePile())
  }

  /** Lines seen so far. */
  get lines(): number {
    return this.#lineNumber
  }

  /** Takes the next piece of input; returns, for each producer, its lines in it (undefined: none). */
  route(bytes: Uint8Array): (LineChunk | undefined)[] {
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      if (this.#open.length > 0) this.#addJoined(bytes.subarray(start, end))
      else this.#addLine(bytes, start, end)
      start = end + 1
    }
    if (start < bytes.length) this.#open = joined(this.#open, bytes.subarray(start))
    return this.#piles.map((pile) => pile.take())
  }

  /** The input has ended: its last line may have no line feed. */
  end(): (LineChunk | undefined)[] {
    if (this.#open.length > 0) this.#addJoined(new Uint8Array(0))
    return this.#piles.map((pile) => pile.take())
  }

  #addJoined(rest: Uint8Array): void {
    const line = joined(this.#open, rest)
    this.#open = new Uint8Array(0)
    this.#addLine(line, 0, line.length)
  }

  #addLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    this.#lineNumber++
    let end = lineEnd
    if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end--
    end = Math.min(end, start + LINE_BYTES_MAX + 1)
    this.#piles[clientHash(bytes, start, end) % this.#piles.length]!.add(bytes, start, end, this.#lineNumber)
  }
}

/** The lines for one producer out of one piece of input. */
class LinePile {
  readonly #lines: Uint8Array[] = []
  readonly #numbers: number[] = []
  #sizeInBytes = 0

  add(bytes: Uint8Array, start: number, end: number, number: number): void {
    this.#lines.push(bytes.subarray(start, end))
    this.#numbers.push(number)
    this.#sizeInBytes += end - start
  }

  take(): LineChunk | undefined {
    if (this.#lines.length === 0) return undefined
    const bytes = new Uint8Array(this.#sizeInBytes)
    const ends = new Uint32Array(this.#lines.length)
    let end = 0
    for (const [at, line] of this.#lines.entries()) {
      bytes.set(line, end)
      end += line.length
      ends[at] = end
    }
    const chunk = { bytes, ends, numbers: Uint32Array.from(this.#numbers) }
    this.#lines.length = 0
    this.#numbers.length = 0
    this.#sizeInBytes = 0
    return chunk
  }
}

/** One piece after the other, copied, and no longer than a line that is too long. */
function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const length = Math.min(a.length + b.length, LINE_BYTES_MAX + 1)
  const bytes = new Uint8Array(length)
  bytes.set(a)
  bytes.set(b.subarray(0, length - a.length), a.length)
  return bytes
}

/** FNV-1a of the first word. */
function clientHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end && bytes[at] !== SPACE; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash >>> 0
}
