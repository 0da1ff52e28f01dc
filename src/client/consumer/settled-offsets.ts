// What is settled of the records of one partition that were handed out, in whatever order
// they are done with, and so which offset may be committed: one past the highest below
// which all is settled. Pure; private to the consumer's thread.
//
//                 position                                    endOffset
//                    ▼                                            ▼
//   offsets   ░░░░░░░│ x . x x . . x │  no records  │ x x x x x x x x │
//             settled└──── span ─────┘              └───── span ─────┘
//                       with bits      nothing kept    without bits
//
// Holds: a span has an unsettled record at its base (only the last may be empty); offsets
// outside the spans are settled. An offset that holds no record is in no span, or marked as
// settled in one. A span has bits only once something in it was settled out of order: a
// million records that wait for one older one cost 128 KB, settled in order they cost nothing.

import { assert } from '../../assert.ts'

/** Offsets of a span with bits; a longer one without is cut where it needs them. */
const SPAN_OFFSETS = 4_096
const WORD_BITS = 32

/** Offsets from the lowest unsettled one to behind the last. */
interface Span {
  /** Offset of bit 0; as the base, where there are no bits. */
  origin: number
  /** The lowest unsettled offset; the end, when there is none. */
  base: number
  end: number
  unsettled: number
  /** A bit an offset from the origin on, 1: settled. Those below the base say nothing. */
  bits: Uint32Array | undefined
}

export class SettledOffsets {
  #spans: Span[] = []
  #endOffset: number
  #unsettled = 0

  /** Everything below `position` is settled, nothing from there on was handed out. */
  constructor(position: number) {
    this.#endOffset = position
  }

  /** One past the highest offset below which all that was handed out is settled: what may be committed. */
  get position(): number {
    return this.#unsettled === 0 ? this.#endOffset : this.#spans[0]!.base
  }

  /** One past the last offset that was handed out, or passed over. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** Offsets handed out and not settled: records, where no range was handed out with gaps in it. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** Forgets everything: reading goes on at `position`, forwards or backwards. */
  reset(position: number): void {
    this.#spans = []
    this.#unsettled = 0
    this.#endOffset = position
  }

  /**
   * The records in `[baseOffset, endOffset)` were handed out. Offsets between the end so far
   * and `baseOffset` hold no record (compaction, control batches): they count as settled. An
   * empty range passes over all below it.
   */
  handedOut(baseOffset: number, endOffset: number): void {
    assert(baseOffset >= this.#endOffset && endOffset >= baseOffset, 'records are handed out in order')
    this.#endOffset = endOffset
    const count = endOffset - baseOffset
    if (count === 0) return
    this.#unsettled += count
    const last = this.#spans.at(-1)
    if (last === undefined || (last.unsettled > 0 && endOffset > last.origin + SPAN_OFFSETS)) {
      this.#spans.push({ origin: baseOffset, base: baseOffset, end: endOffset, unsettled: count, bits: undefined })
      return
    }
    if (last.unsettled === 0) {
      last.origin = baseOffset
      last.base = baseOffset
      last.bits = undefined
    } else if (baseOffset > last.end) {
      setBits(bitsOf(last), last.end - last.origin, baseOffset - last.origin)
    }
    last.end = endOffset
    last.unsettled += count
  }

  /** This record is done with. False where it is settled already, or was not handed out. */
  settle(offset: number): boolean {
    const at = this.#find(offset)
    if (at < 0) return false
    let span = this.#spans[at]!
    if (offset === span.base) {
      span.base++
    } else {
      if (span.bits === undefined && span.end - span.origin > SPAN_OFFSETS) span = this.#cut(at, offset)
      const bits = bitsOf(span)
      const bit = offset - span.origin
      const mask = 1 << (bit % WORD_BITS)
      const word = Math.floor(bit / WORD_BITS)
      if ((bits[word]! & mask) !== 0) return false
      bits[word]! |= mask
    }
    span.unsettled--
    this.#unsettled--
    this.#advance(span)
    return true
  }

  /** Everything below `offset` (exclusive) is done with. */
  settleUpTo(offset: number): void {
    assert(offset <= this.#endOffset, 'what is settled was handed out')
    let settled = 0
    while (settled < this.#spans.length && this.#spans[settled]!.end <= offset) this.#unsettled -= this.#spans[settled++]!.unsettled
    if (settled > 0) this.#spans.splice(0, settled)
    const first = this.#spans[0]
    if (first === undefined || first.base >= offset) return
    const count = offset - first.base - settledIn(first, offset)
    first.unsettled -= count
    this.#unsettled -= count
    first.base = offset
    this.#advance(first)
  }

  /** The span that an offset is in, by index; -1 where it is settled or was not handed out. */
  #find(offset: number): number {
    const spans = this.#spans
    let low = 0
    let high = spans.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const span = spans[middle]!
      if (offset < span.base) high = middle - 1
      else if (offset >= span.end) low = middle + 1
      else return middle
    }
    return -1
  }

  /** Cuts a long span without bits in up to three, and gives the one that the offset is in: short enough for bits. */
  #cut(at: number, offset: number): Span {
    const { base, end } = this.#spans[at]!
    const from = base + Math.floor((offset - base) / SPAN_OFFSETS) * SPAN_OFFSETS
    const to = Math.min(end, from + SPAN_OFFSETS)
    const piece = plainSpan(from, to)
    const pieces = [plainSpan(base, from), piece, plainSpan(to, end)].filter(({ unsettled }) => unsettled > 0)
    this.#spans.splice(at, 1, ...pieces)
    return piece
  }

  /** Moves the base up to the lowest unsettled offset; a span without one goes, unless it is the last. */
  #advance(span: Span): void {
    if (span.unsettled === 0) {
      span.base = span.end
      if (span !== this.#spans.at(-1)) this.#spans.splice(this.#spans.indexOf(span), 1)
    } else if (span.bits === undefined) {
      span.origin = span.base
    } else {
      span.base = span.origin + nextClear(span.bits, span.base - span.origin)
    }
  }
}

function plainSpan(base: number, end: number): Span {
  return { origin: base, base, end, unsettled: end - base, bits: undefined }
}

function bitsOf(span: Span): Uint32Array {
  span.bits ??= new Uint32Array(SPAN_OFFSETS / WORD_BITS)
  return span.bits
}

function setBits(bits: Uint32Array, from: number, to: number): void {
  for (let bit = from; bit < to; bit++) bits[bit >>> 5]! |= 1 << (bit % WORD_BITS)
}

/** The first bit from `from` on that is 0; there is one. */
function nextClear(bits: Uint32Array, from: number): number {
  let word = from >>> 5
  // Those below count as set.
  let clear = ~bits[word]! & (-1 << (from % WORD_BITS))
  while (clear === 0) clear = ~bits[++word]!
  return word * WORD_BITS + (WORD_BITS - 1 - Math.clz32(clear & -clear))
}

/** How many of the offsets from the base up to `offset` are settled. */
function settledIn({ bits, origin, base }: Span, offset: number): number {
  if (bits === undefined) return 0
  let count = 0
  for (let bit = base - origin; bit < offset - origin; bit++) if ((bits[bit >>> 5]! & (1 << (bit % WORD_BITS))) !== 0) count++
  return count
}
