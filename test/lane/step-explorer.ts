// An explicit-state explorer: walks every order in which the steps of a few threads
// can follow each other. A step is one access to shared memory and what the thread
// does on its own until the next; a state is a flat array of small whole numbers.
// States that were seen are not walked again, so the walk ends, and it is breadth
// first, so a violation comes with the shortest way to it.

export interface Stepper {
  readonly name: string
  /** The states this thread may be in after its next step; none while it is blocked or done. */
  next(state: readonly number[]): number[][]
}

export interface Model {
  readonly initial: number[]
  readonly threads: readonly Stepper[]
  /** What is wrong with a state, looked at in every one. */
  violation(state: readonly number[]): string | undefined
  /** What is wrong with a state in which no thread can step. */
  stuck(state: readonly number[]): string | undefined
  /** A state in words, for the way to a violation. */
  describe(state: readonly number[]): string
}

export interface Exploration {
  readonly states: number
  readonly steps: number
  /** States in which nothing can step: the ends of all schedules. */
  readonly ends: number
  readonly violation: string | undefined
  readonly way: readonly string[]
}

const STATES_MAX = 3_000_000

export function explore(model: Model): Exploration {
  const seen = new Map<string, number>([[keyOf(model.initial), 0]])
  const states: number[][] = [model.initial]
  const parents: number[] = [-1]
  const movers: string[] = ['start']
  let steps = 0
  let ends = 0
  const fail = (what: string, at: number): Exploration => {
    const way: string[] = []
    for (let i = at; i >= 0; i = parents[i]!) way.unshift(`${movers[i]!}: ${model.describe(states[i]!)}`)
    return { states: states.length, steps, ends, violation: what, way }
  }
  for (let at = 0; at < states.length; at++) {
    const state = states[at]!
    const wrong = model.violation(state)
    if (wrong !== undefined) return fail(wrong, at)
    let moved = false
    for (const thread of model.threads) {
      for (const next of thread.next(state)) {
        moved = true
        steps++
        const key = keyOf(next)
        if (seen.has(key)) continue
        seen.set(key, states.length)
        states.push(next)
        parents.push(at)
        movers.push(thread.name)
        if (states.length > STATES_MAX) throw new Error('the model is too large to explore')
      }
    }
    if (moved) continue
    ends++
    const wrongAtEnd = model.stuck(state)
    if (wrongAtEnd !== undefined) return fail(wrongAtEnd, at)
  }
  return { states: states.length, steps, ends, violation: undefined, way: [] }
}

function keyOf(state: readonly number[]): string {
  return String.fromCharCode(...state)
}
