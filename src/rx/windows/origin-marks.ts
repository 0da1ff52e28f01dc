// How far the records of each source partition were taken, where they came through an internal
// topic: one that was sent again after a crash is not above that. Pure.
// Holds: records of a source partition come in the order of their origins, sent again or not.

/** A record's origin before it was repartitioned: the record that it came from, and which of what came from that. */
export interface RecordOrigin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** From 0. */
  readonly index: number
}

/** The origin of the last record that was taken. */
export type OriginMark = RecordOrigin

interface Mark extends RecordOrigin {
  offset: number
  index: number
}

export class OriginMarks {
  /** By topic, then partition. The longest not heard of stands first in `list`. */
  readonly #marks = new Map<string, Mark>()
  #last: Mark | undefined

  constructor(marks: readonly OriginMark[]) {
    for (const mark of marks) this.#marks.set(idOf(mark), { ...mark })
  }

  /** Whether a record is above the mark of its source partition, which is then moved. */
  take(origin: RecordOrigin): boolean {
    const mark = this.#markOf(origin)
    if (mark === undefined) {
      this.#last = { ...origin }
      this.#marks.set(idOf(origin), this.#last)
      return true
    }
    if (origin.offset < mark.offset || (origin.offset === mark.offset && origin.index <= mark.index)) return false
    mark.offset = origin.offset
    mark.index = origin.index
    if (mark !== this.#last) this.#touch(mark)
    return true
  }

  /** A copy, the longest not heard of first. */
  list(): OriginMark[] {
    return Array.from(this.#marks.values(), (mark) => ({ ...mark }))
  }

  #markOf(origin: RecordOrigin): Mark | undefined {
    const last = this.#last
    return last?.partition === origin.partition && last.topic === origin.topic ? last : this.#marks.get(idOf(origin))
  }

  /** A Map keeps the order in which its entries were set. */
  #touch(mark: Mark): void {
    const id = idOf(mark)
    this.#marks.delete(id)
    this.#marks.set(id, mark)
    this.#last = mark
  }
}

function idOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${partition} ${topic}`
}
