// What has happened in a simulation: a hash of all of it, and the last of it in words.

/** In order: who, what, and what about it. */
type Words = readonly (string | number | boolean | null | undefined)[]

const KEPT = 200
const FNV_PRIME = 0x01000193

export class EventTrace {
  hash = 0x811c9dc5 | 0
  readonly #kept: { readonly atMs: number; readonly words: Words }[] = []
  #next = 0

  note(atMs: number, ...words: Words): void {
    this.#mix(Math.round(atMs * 1_000))
    for (const word of words) {
      if (typeof word === 'number') this.#mix(word)
      else if (typeof word === 'string') for (let i = 0; i < word.length; i++) this.#mix(word.charCodeAt(i))
      else this.#mix(word === true ? 1 : 0)
    }
    this.#kept[this.#next] = { atMs, words }
    this.#next = (this.#next + 1) % KEPT
  }

  /** Of the hash alone. */
  tick(atMs: number, sequence: number): void {
    this.#mix(Math.round(atMs * 1_000))
    this.#mix(sequence)
  }

  /** The last events, oldest first. */
  lines(): string[] {
    const ordered = [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)]
    return ordered.map(
      ({ atMs, words }) => `${(atMs / 1_000).toFixed(4).padStart(10)} s  ${words.filter((word) => word !== undefined).join(' ')}`,
    )
  }

  #mix(word: number): void {
    this.hash = Math.imul(this.hash ^ (word | 0), FNV_PRIME)
  }
}
