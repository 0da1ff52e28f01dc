// Watches the atomic steps of code under test, on this thread: which words it loads
// and stores, in which order, and lets a test run something between any two of them.

export interface AtomicWatch {
  /** Called before each atomic step, with its name: "store tail". */
  before(step: string): void
}

export type WordNames = ReadonlyMap<ArrayBufferLike, (index: number) => string>

const WATCHED = ['load', 'store', 'exchange', 'compareExchange', 'add', 'notify'] as const

/** Runs `body` with every Atomics call on the named buffers announced to `watch`. */
export function watchAtomics(names: WordNames, watch: AtomicWatch, body: () => void): void {
  const originals = WATCHED.map((operation) => [operation, Atomics[operation]] as const)
  let within = false
  for (const [operation, original] of originals) {
    const watched = (view: Int32Array, index: number, ...rest: never[]): unknown => {
      const name = names.get(view.buffer)
      if (name !== undefined && !within) {
        within = true
        try {
          watch.before(`${operation} ${name(index)}`)
        } finally {
          within = false
        }
      }
      return (original as (...all: unknown[]) => unknown).call(Atomics, view, index, ...rest)
    }
    Object.assign(Atomics, { [operation]: watched })
  }
  try {
    body()
  } finally {
    Object.assign(Atomics, Object.fromEntries(originals))
  }
}

/** The atomic steps of `body`, in order. */
export function atomicSteps(names: WordNames, body: () => void): string[] {
  const steps: string[] = []
  watchAtomics(names, { before: (step) => steps.push(step) }, body)
  return steps
}
