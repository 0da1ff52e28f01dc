// Holds what was counted against what was sent. Pure; knows nothing of the code in src.

export class CountedWindows {
  readonly faults: string[] = []
  /** Results that came again. */
  again = 0
  /** By window: what each page must come to, and those that have not come. */
  readonly #expected = new Map<number, { readonly counts: ReadonlyMap<string, number>; readonly missing: Set<string> }>()

  expect(window: number, counts: ReadonlyMap<string, number>): void {
    this.#expected.set(window, { counts, missing: new Set(counts.keys()) })
  }

  counted(window: number, page: string, count: number): void {
    const expected = this.#expected.get(window)?.counts.get(page)
    if (expected !== count) this.faults.push(`${page} in window ${window}: counted ${count}, sent ${expected ?? 'nothing'}`)
    if (this.#expected.get(window)?.missing.delete(page) === false) this.again++
  }

  isWhole(window: number): boolean {
    return window < 0 || this.#expected.get(window)?.missing.size === 0
  }

  get missing(): string[] {
    return [...this.#expected].flatMap(([window, { missing }]) => [...missing].map((page) => `${page} in window ${window}`))
  }
}
