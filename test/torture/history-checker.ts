// Finds what is wrong with a history: what Jepsen's checker for logs finds, and a little
// more, in time linear in the records (but for one sort of offsets a log) and in columns.
// Knows nothing of millrace.
//
// Terms: a record is `producer/number`; its place is `log@offset`. The drain is the reading
// of every log from its first offset to its end after the last answer: what is below its
// first offset retention took, what is above must be there, whole, once and in order.

import { Anomalies } from './anomalies.ts'
import { checkGroups } from './group-checker.ts'
import {
  ACKED,
  AT_WORK,
  CLOSED,
  DIED,
  MARK_END,
  MARK_END_SEEN,
  MARK_FIRST_SEEN,
  MARK_OVERTAKEN_FROM,
  MARK_OVERTAKEN_TO,
  MARK_START,
  PENDING,
  REFUSED,
} from './history.ts'
import type { History, ReadTape, SendTape } from './history.ts'
import { LogContents, SEEN_DRAIN, SEEN_LIVE } from './log-contents.ts'
import { ReaderTrack } from './reader-track.ts'

const NOT_FOUND = -1
/** Found, but at more than one offset. */
const DOUBLED = -2

export function checkHistory(history: History): Anomalies {
  return new HistoryChecker(history).check()
}

class HistoryChecker {
  readonly #history: History
  readonly #anomalies = new Anomalies()
  readonly #logs: LogContents[]
  /** By producer and number: the offset at which the record was read. */
  readonly #foundAt: Float64Array[]
  /** By producer and number: the log, also of a record whose sender did not choose it; -1 when nobody has read it. */
  readonly #logOf: Int32Array[]
  readonly #tracks: ReaderTrack[] = []
  /** By producer and log: the last record that was read, as far as it was asked for. */
  readonly #lastReadOf: Int32Array[] = []

  constructor(history: History) {
    this.#history = history
    this.#logs = offsetsOf(history).map((offsets, log) => new LogContents(log, offsets))
    this.#foundAt = history.sends.map((tape) => new Float64Array(tape.rows).fill(NOT_FOUND))
    this.#logOf = history.sends.map((tape) => tape.log.slice(0, tape.rows))
  }

  check(): Anomalies {
    const { sends, reads, drain } = this.#history
    for (const [producer, tape] of sends.entries()) this.#takeAcks(producer, tape)
    for (const tape of reads) this.#takeReads(tape, SEEN_LIVE)
    this.#takeReads(drain, SEEN_DRAIN)
    for (const contents of this.#logs) this.#checkDrain(contents)
    for (const tape of [...reads, drain]) this.#checkEnding(tape)
    for (const [producer, tape] of sends.entries()) this.#checkProducer(producer, tape)
    for (const contents of this.#logs) {
      this.#checkEpochs(contents)
      this.#checkRealTime(contents)
    }
    checkGroups(this.#history, this.#logs, this.#anomalies)
    return this.#anomalies
  }

  // --- taking in ------------------------------------------------------------------

  #takeAcks(producer: number, tape: SendTape): void {
    for (let number = 0; number < tape.rows; number++) {
      const offset = tape.offset[number]!
      if (tape.outcome[number] === ACKED && offset >= 0) this.#logs[tape.log[number]!]!.acked(offset, producer, number, this.#anomalies)
    }
  }

  #takeReads(tape: ReadTape, seen: number): void {
    const track = new ReaderTrack(this.#history.logs, this.#anomalies, seen === SEEN_DRAIN ? 'gap' : 'skipped')
    const overtaken = new Map<number, number>()
    for (let row = 0; row < tape.rows; row++) {
      const log = tape.log[row]!
      const offset = tape.offset[row]!
      const what = tape.what[row]!
      const contents = this.#logs[log]!
      switch (what) {
        case MARK_START:
          track.start(log, offset)
          break
        case MARK_OVERTAKEN_FROM:
          track.overtakenFrom(log, offset)
          break
        case MARK_OVERTAKEN_TO:
          track.overtakenTo(log, offset, tape.number[row]!)
          overtaken.set(log, offset)
          break
        case MARK_END:
          track.end(log, offset)
          if (seen === SEEN_DRAIN) {
            contents.drainEnd = offset
            if (contents.drainStart < 0) contents.drainStart = track.first(log) < 0 ? offset : track.first(log)
            // Retention went on meanwhile: what lies below is gone, if the log says so too.
            contents.drainStart = Math.max(contents.drainStart, Math.min(overtaken.get(log) ?? -1, track.firstSeenOf(log)))
          }
          break
        case MARK_FIRST_SEEN:
          track.firstSeen(log, offset, tape.epoch[row]!)
          break
        case MARK_END_SEEN:
          track.endSeen(log, offset)
          break
        default:
          track.read(log, offset)
          if (seen === SEEN_DRAIN && contents.drainStart < 0) contents.drainStart = offset
          contents.read(offset, what, tape.number[row]!, tape.hash[row]!, tape.epoch[row]!, seen, this.#anomalies)
          this.#found(contents, offset, what, tape.number[row]!, tape.hash[row]!)
      }
    }
    this.#tracks.push(track)
  }

  #found({ log }: LogContents, offset: number, producer: number, number: number, hash: number): void {
    const tape = this.#history.sends[producer]
    if (tape === undefined || number < 0 || number >= tape.rows) {
      this.#anomalies.add('invented', () => `${producer}/${number} at ${log}@${offset} was never sent`)
      return
    }
    const logOf = this.#logOf[producer]!
    if (logOf[number] === -1) logOf[number] = log
    if (logOf[number] !== log) {
      const kind = tape.log[number] === -1 ? 'doubled' : 'invented'
      this.#anomalies.add(kind, () => `${producer}/${number} at ${log}@${offset} was sent to log ${logOf[number]}`)
      return
    }
    if (tape.hash[number] !== hash) this.#anomalies.add('changed', () => `${producer}/${number} at ${log}@${offset}`)
    const foundAt = this.#foundAt[producer]!
    const before = foundAt[number]!
    if (before === NOT_FOUND) {
      foundAt[number] = offset
    } else if (before !== offset && before !== DOUBLED) {
      foundAt[number] = DOUBLED
      if (tape.isOnce) this.#anomalies.add('doubled', () => `${producer}/${number} at ${log}@${before} and ${log}@${offset}`)
    }
  }

  // --- what must hold -------------------------------------------------------------

  #checkDrain(contents: LogContents): void {
    const { log, index, seen, drainStart, drainEnd } = contents
    const anomalies = this.#anomalies
    if (drainEnd < 0) anomalies.add('undrained', () => `log ${log} was not read to its end`)
    if (drainStart > 0 && this.#history.keepsAll(log)) anomalies.add('trimmed', () => `log ${log} begins at ${drainStart}`)
    const first = drainStart < 0 ? drainStart : Math.max(drainStart, this.#history.firstAtDeath?.[log] ?? -1)
    for (const track of this.#tracks) track.checkAgainstFirst(log, first)
    for (let rank = index.firstAtOrAbove(drainStart); rank < index.size; rank++) {
      const offset = index.offset(rank)
      if (seen[rank] === SEEN_LIVE) anomalies.add('regressed', () => `${log}@${offset} was read while it ran, and is not there at the end`)
      if (seen[rank]! & SEEN_DRAIN && offset >= drainEnd && drainEnd >= 0)
        anomalies.add('regressed', () => `${log}@${offset} was read beyond the end ${drainEnd}`)
    }
    for (const track of this.#tracks) {
      const end = track.highestEndSeen(log)
      if (end > drainEnd && drainEnd >= 0) anomalies.add('regressed', () => `the end of log ${log} was ${end}, and is ${drainEnd}`)
    }
  }

  #checkEnding(tape: ReadTape): void {
    if (tape.ended === AT_WORK) this.#anomalies.add('hung', () => `a reader with ${tape.rows} rows did not end`)
  }

  #checkProducer(producer: number, tape: SendTape): void {
    const { logs } = this.#history
    const anomalies = this.#anomalies
    const foundAt = this.#foundAt[producer]!
    /** By log: the place of the last record with a place, whether it was in the drain, and the first record that is missing. */
    const lastPlace = new Float64Array(logs).fill(-1)
    const lastNumber = new Int32Array(logs).fill(-1)
    const missing = new Int32Array(logs).fill(-1)
    if (tape.ended === AT_WORK) anomalies.add('hung', () => `producer ${producer} did not end`)
    let hung = 0
    for (let number = 0; number < tape.rows; number++) {
      const outcome = tape.outcome[number]!
      if (outcome === PENDING && tape.ended === CLOSED && hung++ === 0) anomalies.add('hung', () => `${producer}/${number} has no outcome`)
      const log = this.#logOf[producer]![number]!
      if (log < 0) {
        if (outcome === ACKED && this.#nothingIsTrimmed) anomalies.add('lost', () => `${producer}/${number}, acknowledged, in whatever log`)
        continue
      }
      const contents = this.#logs[log]!
      const found = foundAt[number]!
      const acked = outcome === ACKED ? tape.offset[number]! : -1
      if (outcome === REFUSED && found !== NOT_FOUND) anomalies.add('refusedButRead', () => `${producer}/${number} at ${log}@${found}`)
      if (found >= 0 && acked >= 0 && found !== acked && (tape.isOnce || !this.#mayBeAt(contents, acked, found)))
        anomalies.add('misplaced', () => `${producer}/${number} is at ${log}@${found}, acknowledged as ${acked}`)
      if (found === NOT_FOUND && outcome === ACKED) this.#checkMissing(contents, producer, number, acked, lastPlace[log]!)
      const place = this.#lastPlace(contents, found, acked, tape.isOnce)
      if (place >= 0) {
        if (place <= lastPlace[log]!) {
          const before = `${producer}/${lastNumber[log]} at ${log}@${lastPlace[log]}`
          anomalies.add('reordered', () => `${producer}/${number} at ${log}@${place}, after ${before}`)
        }
        lastPlace[log] = place
        lastNumber[log] = number
      }
      if (!tape.isGapless) continue
      // What such a producer had under way when it died is there up to some record, and nothing behind it.
      const mayBeTrimmed = contents.drainStart > 0 && !contents.isKept(lastPlace[log]!)
      if (found === NOT_FOUND && outcome === PENDING && tape.ended === DIED && !mayBeTrimmed && missing[log]! < 0) missing[log] = number
      if (found >= 0 && missing[log]! >= 0) {
        const first = missing[log]
        anomalies.add('holed', () => `${producer}/${number} is at ${log}@${found}, ${producer}/${first} is not in log ${log}`)
        missing[log] = -1
      }
    }
  }

  /**
   * A producer without sequence numbers appends a record again when its leader died before it answered, and only the
   * last of these places is acknowledged. Whether that one may have gone by retention before anybody read it there.
   */
  #mayBeAt(contents: LogContents, acked: number, found: number): boolean {
    return found < acked && !contents.isKept(acked) && !contents.isRead(acked)
  }

  /** Where the record is, the last time if it was appended again; below 0: nobody knows. Such places are in the order of the sends. */
  #lastPlace(contents: LogContents, found: number, acked: number, isOnce: boolean): number {
    if (isOnce) return found >= 0 ? found : acked
    if (acked >= 0) return acked
    // Behind one that retention took there may have been another.
    return found >= 0 && contents.isKept(found) ? found : -1
  }

  /** A record that was acknowledged and that nobody has read: it must have gone by retention. */
  #checkMissing(contents: LogContents, producer: number, number: number, acked: number, placeBefore: number): void {
    const { log, index, drainStart, highestRead } = contents
    if (acked >= 0 ? !contents.isKept(acked) : drainStart > 0 && !contents.isKept(placeBefore)) return
    const record = `${producer}/${number}, acknowledged ${acked >= 0 ? `as ${log}@${acked}` : `in log ${log}`}`
    // Without an offset: later records of other producers do not say whether it should have come before them.
    const isLost = acked >= 0 ? acked <= highestRead : this.#laterIsRead(producer, number, log)
    if (!isLost) return this.#anomalies.add('unseen', () => record)
    const rank = acked >= 0 && contents.isRead(acked) ? index.rank(acked) : -1
    const there = rank >= 0 ? `: there is ${contents.producer[rank]}/${contents.number[rank]}` : ''
    this.#anomalies.add('lost', () => `${record}${there}`)
  }

  /** Whether a record that the producer sent later to the same log was read. */
  #laterIsRead(producer: number, number: number, log: number): boolean {
    this.#lastReadOf[producer] ??= lastReads(this.#logOf[producer]!, this.#foundAt[producer]!, this.#history.logs)
    return this.#lastReadOf[producer][log]! > number
  }

  get #nothingIsTrimmed(): boolean {
    return this.#logs.every(({ drainStart }) => drainStart === 0)
  }

  #checkEpochs({ log, index, epoch }: LogContents): void {
    let highest = -1
    for (let rank = 0; rank < index.size; rank++) {
      const here = epoch[rank]!
      if (here < 0) continue
      const above = highest
      if (here < above) this.#anomalies.add('epochBack', () => `${log}@${index.offset(rank)} has leader epoch ${here}, after ${above}`)
      else highest = here
    }
  }

  /** From the end to the first: nothing may have been acknowledged before what lies below it was sent. */
  #checkRealTime(contents: LogContents): void {
    const { log, index } = contents
    const { sends } = this.#history
    let earliestAck = Number.POSITIVE_INFINITY
    let earliestAt = -1
    for (let rank = index.size - 1; rank >= 0; rank--) {
      const read = contents.seen[rank] !== 0
      const producer = read ? contents.producer[rank]! : contents.ackedProducer[rank]!
      const number = read ? contents.number[rank]! : contents.ackedNumber[rank]!
      const tape = sends[producer]
      if (tape === undefined || number >= tape.rows || this.#logOf[producer]![number] !== log) continue
      const acked = earliestAck
      if (tape.invoked[number]! > acked) {
        const later = `${log}@${earliestAt}`
        const offset = index.offset(rank)
        this.#anomalies.add('backdated', () => `${producer}/${number} at ${log}@${offset} was sent when ${later} was acknowledged`)
      }
      if (tape.outcome[number] === ACKED && tape.completed[number]! < earliestAck) {
        earliestAck = tape.completed[number]!
        earliestAt = index.offset(rank)
      }
    }
  }
}

/** By log: every offset that the history names. */
function offsetsOf({ logs, sends, reads, drain }: History): Float64Array[] {
  const counts = new Int32Array(logs)
  const all = [...reads, drain]
  const eachOffset = (take: (log: number, offset: number) => void): void => {
    for (const tape of sends)
      for (let row = 0; row < tape.rows; row++) {
        if (tape.outcome[row] === ACKED && tape.offset[row]! >= 0) take(tape.log[row]!, tape.offset[row]!)
      }
    for (const tape of all) for (let row = 0; row < tape.rows; row++) if (tape.what[row]! >= 0) take(tape.log[row]!, tape.offset[row]!)
  }
  eachOffset((log) => counts[log]!++)
  const offsets = Array.from(counts, (count) => new Float64Array(count))
  counts.fill(0)
  eachOffset((log, offset) => (offsets[log]![counts[log]!++] = offset))
  return offsets
}

function lastReads(logOf: Int32Array, foundAt: Float64Array, logs: number): Int32Array {
  const last = new Int32Array(logs).fill(-1)
  for (let number = 0; number < logOf.length; number++) if (foundAt[number] !== NOT_FOUND) last[logOf[number]!] = number
  return last
}
