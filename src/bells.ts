// Bells: how a thread that has run out of work is woken, one bell a thread.
//
//   one cache line (64 bytes) a thread, 256 lines
//   +0  int32  bell         0 awake, 1 parked
//   +4  int32  incarnation  odd while the id is taken, even while it is free
//   +8  int32  kind         0 none, 1 broker, 2 client, 3 I/O
//   +12 int32  fences       goes up when a member of a group that is on this thread is put out of it
//
// Holds: a thread parks by storing 1 and then looking at its work once more; a
// waker publishes work first and then exchanges 1 for 0. Both orders are
// sequentially consistent, so one of the two always sees the other: either the
// parker finds the work, or the waker finds the parked bell. A ring that comes
// late wakes a thread that has nothing to do; that is harmless.

import { MillraceError } from './errors.ts'
import { THREADS_MAX, threadId } from './ids.ts'
import type { ThreadId } from './ids.ts'

const LINE_WORDS = 16
const BELL = 0
const INCARNATION = 1
const KIND = 2
const FENCES = 3
const AWAKE = 0
const PARKED = 1

export const THREAD_KIND_BROKER = 1
export const THREAD_KIND_CLIENT = 2
export const THREAD_KIND_IO = 3

/** Who sleeps on bells whose threads are all one thread of Node.js: by thread id, what wakes it. */
type LocalSleepers = Map<number, { readonly rung: Promise<void>; readonly wake: () => void }>

const LOCAL_BELLS = new WeakMap<SharedArrayBuffer, LocalSleepers>()

export class Bells {
  readonly buffer: SharedArrayBuffer
  readonly words: Int32Array<SharedArrayBuffer>
  /** Set where no other thread of Node.js rings these bells. */
  readonly #local: LocalSleepers | undefined

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(THREADS_MAX * LINE_WORDS * 4)
  }

  /**
   * Says, before anybody has looked at them, that all threads of these bells run in this one thread of Node.js: a ring then wakes
   * by a promise of it, in a microtask, and an engine's task queue of its own has no part in the order.
   */
  static keepLocal(buffer: SharedArrayBuffer): void {
    LOCAL_BELLS.set(buffer, new Map())
  }

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.words = new Int32Array(buffer)
    this.#local = LOCAL_BELLS.get(buffer)
  }

  /** Whether all threads of these bells are this one: while it has nothing else to do, nobody can ring. */
  get areLocal(): boolean {
    return this.#local !== undefined
  }

  /** Takes the lowest free thread id. Throws when all 256 are taken. */
  claim(kind: number): { id: ThreadId; incarnation: number } {
    for (let id = 0; id < THREADS_MAX; id++) {
      const at = id * LINE_WORDS + INCARNATION
      const incarnation = Atomics.load(this.words, at)
      if ((incarnation & 1) === 1) continue
      if (Atomics.compareExchange(this.words, at, incarnation, incarnation + 1) !== incarnation) continue
      Atomics.store(this.words, id * LINE_WORDS + KIND, kind)
      Atomics.store(this.words, id * LINE_WORDS + BELL, AWAKE)
      return { id: threadId(id), incarnation: (incarnation + 1) | 0 }
    }
    throw new MillraceError('INVALID_REQUEST', `at most ${THREADS_MAX} threads may be attached at a time: close some before attaching more`)
  }

  /** Gives an id back; a second call for the same incarnation does nothing. */
  release(id: ThreadId, incarnation: number): void {
    Atomics.compareExchange(this.words, id * LINE_WORDS + INCARNATION, incarnation, (incarnation + 1) | 0)
  }

  /** Whether this incarnation holds the id now. */
  isHeldBy(id: ThreadId, incarnation: number): boolean {
    return (incarnation & 1) === 1 && Atomics.load(this.words, id * LINE_WORDS + INCARNATION) === incarnation
  }

  /**
   * Says to the thread that a member of a group that it has may be none any more: whoever owns what was its own afterwards
   * knows that the member can see it.
   */
  fence(id: ThreadId): void {
    Atomics.add(this.words, id * LINE_WORDS + FENCES, 1)
  }

  /** Another number than before: ask, before anything more is handed out. */
  fenceCount(id: ThreadId): number {
    return Atomics.load(this.words, id * LINE_WORDS + FENCES)
  }

  /** Where among `words` that number is, for who looks too often for an atomic load. */
  fencesAt(id: ThreadId): number {
    return id * LINE_WORDS + FENCES
  }

  /** Threads that hold an id now. */
  get liveCount(): number {
    let live = 0
    for (let id = 0; id < THREADS_MAX; id++) live += Atomics.load(this.words, id * LINE_WORDS + INCARNATION) & 1
    return live
  }

  /** Wakes the thread if it is parked. Work must be published before. */
  ring(id: ThreadId): boolean {
    const at = id * LINE_WORDS + BELL
    // A plain look first: an exchange takes the cache line from its owner even when it fails.
    if (Atomics.load(this.words, at) !== PARKED) return false
    if (Atomics.compareExchange(this.words, at, PARKED, AWAKE) !== PARKED) return false
    if (this.#local === undefined) Atomics.notify(this.words, at)
    else this.#wakeLocal(id, this.#local)
    return true
  }

  /** Says that this thread is about to park; it must look at its work once more after this. */
  arm(id: ThreadId): void {
    Atomics.store(this.words, id * LINE_WORDS + BELL, PARKED)
  }

  disarm(id: ThreadId): void {
    Atomics.store(this.words, id * LINE_WORDS + BELL, AWAKE)
  }

  isParked(id: ThreadId): boolean {
    return Atomics.load(this.words, id * LINE_WORDS + BELL) === PARKED
  }

  /**
   * Waits, without blocking and without a timeout, until the bell leaves PARKED;
   * undefined when it has left already. At most one such wait a thread may be
   * pending: a timed or an abandoned one is never freed by V8.
   */
  wait(id: ThreadId): Promise<unknown> | undefined {
    if (this.#local !== undefined) return this.#waitLocal(id, this.#local)
    const waited = Atomics.waitAsync(this.words, id * LINE_WORDS + BELL, PARKED)
    return waited.async ? waited.value : undefined
  }

  #waitLocal(id: ThreadId, sleepers: LocalSleepers): Promise<unknown> | undefined {
    if (!this.isParked(id)) return undefined
    let wake!: () => void
    const rung = new Promise<void>((resolve) => (wake = resolve))
    sleepers.set(id, { rung, wake })
    return rung
  }

  #wakeLocal(id: ThreadId, sleepers: LocalSleepers): void {
    const sleeper = sleepers.get(id)
    sleepers.delete(id)
    sleeper?.wake()
  }
}
