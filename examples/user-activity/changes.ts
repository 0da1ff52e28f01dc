// Waiting for something that messages bring about: `until(condition)` looks each time
// something has happened. When anything fails, everybody who waits is told.

export class Changes {
  readonly #onFailure: () => void
  #failure: Error | undefined
  #wake = (): void => {}
  #next: Promise<void> = Promise.resolve()

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure
    this.#renew()
  }

  async until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (condition()) return
      await this.#next
    }
  }

  happened(): void {
    this.#wake()
    this.#renew()
  }

  /** Only the first failure counts: others follow from it. */
  failed(failure: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.happened()
    this.#onFailure()
  }

  #renew(): void {
    this.#next = new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
