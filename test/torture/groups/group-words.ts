// The words that threads of members and the torture share.
//
//   of the round                               of one thread
//   word 0  the number of the next member      words 0  1 it has attached and works
//   from word 16 on, by group and log:               1  1 it is to finish
//     how often it was handed out                    2  it is to stand still for so many ms
//                                                    3  how often it has stood still
//                                                    4  never written: what is waited on by who stands still
//                                                    5… counts, see COUNTS

import { WorkWords } from '../torture-words.ts'

const NEXT_MEMBER = 0
const HAND_OUTS_AT = 16

const STALL_MS = 2
const STALLS = 3
const NEVER = 4
const COUNTS_AT = 5

/** What a thread counts: members that joined, ended so, were put out, dawdled, and commits. */
export const COUNTS = [
  'members',
  'close',
  'break',
  'abort',
  'rejoin',
  'lost',
  'dawdled',
  'commits',
  'refused',
  'statics',
  'unreleased',
] as const
export type Count = (typeof COUNTS)[number]

export class GroupWords {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #logs: number

  static allocate(groups: number, logs: number): GroupWords {
    return new GroupWords(new SharedArrayBuffer((HAND_OUTS_AT + groups * logs) * 4), logs)
  }

  constructor(buffer: SharedArrayBuffer, logs: number) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#logs = logs
  }

  nextMember(): number {
    return Atomics.add(this.#words, NEXT_MEMBER, 1)
  }

  handedOut(group: number, log: number): void {
    Atomics.add(this.#words, HAND_OUTS_AT + group * this.#logs + log, 1)
  }

  handOuts(group: number, log: number): number {
    return Atomics.load(this.#words, HAND_OUTS_AT + group * this.#logs + log)
  }
}

export class GroupThreadWords extends WorkWords {
  constructor(buffer = new SharedArrayBuffer((COUNTS_AT + COUNTS.length) * 4)) {
    super(buffer)
  }

  /** The thread stands still for so long, as soon as it comes to it. */
  stall(ms: number): void {
    Atomics.store(this.words, STALL_MS, ms)
    Atomics.notify(this.words, STALL_MS)
  }

  get stalls(): number {
    return Atomics.load(this.words, STALLS)
  }

  /** On the thread: resolves each time after it has stood still as it was told. */
  async stood(): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.words, STALL_MS, 0)
    if (async) await value
    const ms = Atomics.exchange(this.words, STALL_MS, 0)
    if (ms <= 0) return
    Atomics.wait(this.words, NEVER, 0, ms)
    Atomics.add(this.words, STALLS, 1)
  }

  add(count: Count): void {
    Atomics.add(this.words, COUNTS_AT + COUNTS.indexOf(count), 1)
  }

  count(count: Count): number {
    return Atomics.load(this.words, COUNTS_AT + COUNTS.indexOf(count))
  }
}
