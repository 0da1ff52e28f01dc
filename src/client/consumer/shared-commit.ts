// Commits of offsets that wait for their turn together, and share requests. Pure; private to
// the consumer's thread.
//
//   calls        commitOffsets([a-0: 5, a-1: 7])    commitOffsets([a-0: 6])
//   by partition     a-0: 5 ▸ 6 · a-1: 7            asked: a-0: 6, a-1: 7
//
// Holds: of a partition the last offset is asked for, and answers for all before it; where it
// alone is refused, the one before it is asked for next. Each call is told of its own
// partitions, and of no others'.

import type { BoundTopic } from '../topic.ts'

export interface OffsetToCommit {
  readonly topic: BoundTopic
  readonly partition: number
  readonly offset: number
  readonly metadata: string
  /** -1: not known. */
  readonly leaderEpoch: number
}

/** One that was named, and whether the partition is still held as it was then. */
export interface HeldOffset extends OffsetToCommit {
  readonly isStillHeld: () => boolean
}

interface Call {
  readonly offsets: readonly HeldOffset[]
  /** Offsets that are not answered. */
  left: number
  isOver: boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

interface Waiting {
  readonly offset: HeldOffset
  readonly call: Call
}

/** The records of one request are one batch in the group's log: far below what that may hold. */
const REQUEST_BYTES_MAX = 256 * 1024
/** Of a record beside its texts, and a code unit of text in UTF-8. */
const RECORD_BYTES = 128
const CHARACTER_BYTES_MAX = 3

export class SharedCommit {
  readonly #calls = new Set<Call>()
  readonly #byPartition = new Map<string, Waiting[]>()
  readonly #groupId: string

  constructor(groupId: string) {
    this.#groupId = groupId
  }

  /** At least one. Resolves when all of these are committed, or a later offset of their partition is. */
  add(offsets: readonly HeldOffset[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const call: Call = { offsets, left: offsets.length, isOver: false, resolve, reject }
    this.#calls.add(call)
    for (const offset of offsets) {
      const key = keyOf(offset)
      const waiting = this.#byPartition.get(key)
      if (waiting === undefined) this.#byPartition.set(key, [{ offset, call }])
      else waiting.push({ offset, call })
    }
    return promise
  }

  /** What is to be asked for next; none: all calls are over. */
  next(): HeldOffset[] {
    const offsets: HeldOffset[] = []
    let bytes = 0
    for (const [key, waiting] of this.#byPartition) {
      while (waiting.at(-1)?.call.isOver === true) waiting.pop()
      const last = waiting.at(-1)
      if (last === undefined) {
        this.#byPartition.delete(key)
        continue
      }
      const { topic, metadata } = last.offset
      bytes += RECORD_BYTES + CHARACTER_BYTES_MAX * (this.#groupId.length + topic.name.length + metadata.length)
      if (offsets.length > 0 && bytes > REQUEST_BYTES_MAX) break
      offsets.push(last.offset)
    }
    return offsets
  }

  /** Calls that name any such offset are over. */
  refuse(isRefused: (offset: HeldOffset) => boolean, error: (offsets: readonly HeldOffset[]) => Error): void {
    for (const call of this.#calls) {
      const refused = call.offsets.filter(isRefused)
      if (refused.length > 0) this.#end(call, error(refused))
    }
  }

  committed(offset: OffsetToCommit): void {
    const key = keyOf(offset)
    for (const { call } of this.#byPartition.get(key)!) if (--call.left === 0) this.#end(call)
    this.#byPartition.delete(key)
  }

  /** It alone: what is before it of its partition is asked for next. */
  refused(offset: OffsetToCommit, error: Error): void {
    this.#end(this.#byPartition.get(keyOf(offset))!.at(-1)!.call, error)
  }

  fail(error: Error): void {
    for (const call of this.#calls) this.#end(call, error)
  }

  #end(call: Call, error?: Error): void {
    if (call.isOver) return
    call.isOver = true
    this.#calls.delete(call)
    if (error === undefined) call.resolve()
    else call.reject(error)
  }
}

function keyOf({ topic, partition }: OffsetToCommit): string {
  return `${topic.topicId}-${partition}`
}
