// What processes told before they were killed, one after the other on one data directory, held
// against what its files hold. Knows nothing of millrace.
//
// Holds for a log: what each producer has there is the beginning of what it sent there, in that
// order, each once and to the byte; what was acknowledged, and what a consumer was given, is at
// its offset; what was there when one process ended is there when the next one does.

import type { FoundLog } from './found-log.ts'
import { toldValue } from './told-lines.ts'

interface Told {
  readonly producer: number
  readonly number: number
}

/** What is wrong, by kind; `lost` counts records that were acknowledged or given to a consumer. */
export interface Verdict {
  readonly faults: string[]
  readonly lost: number
}

export class ToldHistory {
  /** By log, then by producer: numbers in the order of their sends. */
  readonly #sent: Map<number, number[]>[]
  /** By log, then by offset: what was acknowledged there, or read. */
  readonly #known: Map<number, Told>[]
  /** By log: what the files held when the process before had ended. */
  readonly #ends: number[]
  readonly problems: string[] = []
  sent = 0
  acked = 0
  read = 0

  constructor(logs: number) {
    this.#sent = Array.from({ length: logs }, () => new Map<number, number[]>())
    this.#known = Array.from({ length: logs }, () => new Map<number, Told>())
    this.#ends = new Array<number>(logs).fill(0)
  }

  /** A line of told-lines.ts. */
  hear(line: string): void {
    const [what, a, b, c, d] = line.split(' ')
    const log = Number(a)
    if (what === 's') {
      const numbers = this.#sent[log]!.get(Number(b)) ?? []
      this.#sent[log]!.set(Number(b), numbers)
      numbers.push(Number(c))
      this.sent++
    } else if (what === 'a' || what === 'r') {
      if (what === 'a') this.acked++
      else this.read++
      this.#know(log, Number(b), { producer: Number(c), number: Number(d) })
    } else if (what === 'n') {
      if (Number(b) !== 0 || Number(c) !== this.#ends[log])
        this.problems.push(`log ${log} was opened as ${b} to ${c}, and its files hold 0 to ${this.#ends[log]}`)
    } else if (what === 'e') this.problems.push(line.slice(2))
  }

  #know(log: number, offset: number, told: Told): void {
    const before = this.#known[log]!.get(offset)
    if (before !== undefined && (before.producer !== told.producer || before.number !== told.number))
      this.problems.push(`${log}@${offset} is ${told.producer}/${told.number}, and was ${before.producer}/${before.number}`)
    this.#known[log]!.set(offset, told)
  }

  /** `mayShrink`: it is no fault if what was there, or was acknowledged, is not any more; it is counted and forgotten. */
  check(log: number, { records, faults: found }: FoundLog, { mayShrink = false } = {}): Verdict {
    const faults = [...found]
    const seen = new Map<number, number>()
    for (const [offset, { producer, number, value }] of records.entries()) {
      const rank = seen.get(producer) ?? 0
      seen.set(producer, rank + 1)
      const expected = this.#sent[log]!.get(producer)?.[rank]
      if (expected !== number)
        faults.push(`${log}@${offset} is ${producer}/${number}: invented, doubled or reordered; what it sent there next is ${expected}`)
      else if (Buffer.compare(value, toldValue(producer, number)) !== 0) faults.push(`${log}@${offset}: ${producer}/${number} has changed`)
      if (faults.length > 20) break
    }
    let lost = 0
    for (const [offset, { producer, number }] of this.#known[log]!) {
      const record = records[offset]
      if (record === undefined) {
        lost++
        this.#known[log]!.delete(offset)
        if (!mayShrink) faults.push(`lost: ${log}@${offset}, ${producer}/${number}; the log ends at ${records.length}`)
      } else if (record.producer !== producer || record.number !== number)
        faults.push(`${log}@${offset} was ${producer}/${number}, and is ${record.producer}/${record.number}`)
      if (faults.length > 20) break
    }
    if (records.length < this.#ends[log]! && !mayShrink)
      faults.push(`log ${log} ended at ${this.#ends[log]}, and ends at ${records.length}`)
    this.#ends[log] = records.length
    return { faults, lost }
  }
}
