// How an example went. Types only.

export interface ExampleResult {
  readonly file: string
  /** Null: it ended as it should. */
  readonly error: string | null
  /** What it gave to console.log, a call a line. */
  readonly printed: readonly string[]
}
