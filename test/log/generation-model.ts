// Models, for the step explorer, of the protocols that log memory rests on. Each takes
// the rule that it may leave out, so that a test can show that the rule is needed.
//
// Weak memory: where a processor may do two accesses of a thread in either order, the
// model does them in either order. A read-modify-write keeps the reads before it in
// their place (release), and so does what is said to rest keep the stores behind it.

import type { Model, Stepper } from '../lane/step-explorer.ts'

export function with_(state: readonly number[], changes: Record<number, number>): number[] {
  const next = state.slice()
  for (const [at, value] of Object.entries(changes)) next[Number(at)] = value
  return next
}

export function describeBy(names: readonly string[]): (state: readonly number[]) => string {
  return (state) => names.map((name, i) => `${name}=${state[i]}`).join(' ')
}

const NAMES = ['generation', 'slot', 'word0', 'word1', 'writer', 'pending', 'reader', 'done', 'seen', 'got0', 'got1', 'tries'] as const
const [GENERATION, SLOT, WORD0, WORD1, WRITER, PENDING, READER, DONE, SEEN, GOT0, GOT1, TRIES] = NAMES.map((_, i) => i) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const OURS = 1
const THEIRS = 2
const READER_ACCEPTED = 10
const READER_DONE = 11
const TRIES_MAX = 2

export interface ReuseRules {
  /** How the reader checks again after its copy. */
  readonly check: 'read-modify-write' | 'load' | 'none'
  /** Whether a freed extent rests until the raised generation is visible to all. */
  readonly rests: boolean
  /** Whether coming to life raises the generation too, so that odd means live. */
  readonly oddMeansLive: boolean
}

/**
 * An extent of ours, of two words, is freed and becomes theirs; a reader enters it by
 * its row, copies the two words and checks. It must never accept a word of theirs.
 */
export function reuseModel(rules: ReuseRules): Model {
  return {
    initial: [1, OURS, OURS, OURS, 0, 0, 0, 0, 0, 0, 0, 0],
    threads: [writer(rules), reader(rules)],
    violation: (state) => {
      if (state[READER] !== READER_ACCEPTED) return undefined
      return state[GOT0] === OURS && state[GOT1] === OURS ? undefined : 'the reader handed out words of another extent'
    },
    stuck: (state) => (state[WRITER] === 6 ? undefined : 'the writer is stuck'),
    describe: describeBy(NAMES),
  }
}

/** Frees the extent, describes it as theirs, fills it. `pending`: additions that others do not see yet, though stores behind them. */
function writer(rules: ReuseRules): Stepper {
  return {
    name: 'writer',
    next(state) {
      const pending = state[PENDING]!
      const visible = pending > 0 ? [with_(state, { [GENERATION]: state[GENERATION]! + 1, [PENDING]: pending - 1 })] : []
      switch (state[WRITER]) {
        case 0:
          return [with_(state, { [PENDING]: 1, [WRITER]: 1 })]
        case 1:
          // The rest: nothing goes on before all can see the addition.
          if (rules.rests && pending > 0) return visible
          return [...visible, with_(state, { [SLOT]: THEIRS, [WRITER]: 2 })]
        case 2:
          return [...visible, with_(state, { [PENDING]: pending + (rules.oddMeansLive ? 1 : 0), [WRITER]: 3 })]
        case 3:
          return [...visible, with_(state, { [WORD0]: THEIRS, [WRITER]: 4 })]
        case 4:
          return [...visible, with_(state, { [WORD1]: THEIRS, [WRITER]: 5 })]
        case 5:
          return pending > 0 ? visible : [with_(state, { [WRITER]: 6 })]
        default:
          return []
      }
    },
  }
}

function reader(rules: ReuseRules): Stepper {
  return {
    name: 'reader',
    next(state) {
      const fail = (): number[] =>
        with_(state, {
          [READER]: state[TRIES]! + 1 < TRIES_MAX ? 0 : READER_DONE,
          [TRIES]: state[TRIES]! + 1,
          [DONE]: 0,
          [GOT0]: 0,
          [GOT1]: 0,
        })
      switch (state[READER]) {
        case 0: {
          const isLive = !rules.oddMeansLive || state[GENERATION]! % 2 === 1
          return [isLive ? with_(state, { [SEEN]: state[GENERATION]!, [READER]: 1 }) : fail()]
        }
        case 1:
          return [state[SLOT] === OURS ? with_(state, { [READER]: 2, [DONE]: 0 }) : fail()]
        case 2:
          return copyAndCheck(state, rules, fail)
        case READER_ACCEPTED:
          return [with_(state, { [READER]: READER_DONE })]
        default:
          return []
      }
    },
  }
}

/** `done`: bit 0 and 1 the words are copied, bit 2 the check's read is done and passed. */
function copyAndCheck(state: readonly number[], rules: ReuseRules, fail: () => number[]): number[][] {
  const done = state[DONE]!
  const steps: number[][] = []
  const finish = (next: number[]): number[] =>
    next[DONE] === (rules.check === 'none' ? 3 : 7) ? with_(next, { [READER]: READER_ACCEPTED }) : next
  if ((done & 1) === 0) steps.push(finish(with_(state, { [GOT0]: state[WORD0]!, [DONE]: done | 1 })))
  if ((done & 2) === 0) steps.push(finish(with_(state, { [GOT1]: state[WORD1]!, [DONE]: done | 2 })))
  // A load may be done before the copies that stand before it; a read-modify-write may not.
  const mayCheck = rules.check === 'load' || (rules.check === 'read-modify-write' && (done & 3) === 3)
  if (mayCheck && (done & 4) === 0) {
    steps.push(state[GENERATION] === state[SEEN] ? finish(with_(state, { [DONE]: done | 4 })) : fail())
  }
  return steps
}

/**
 * A reader goes on from extent g to the next, h. Meanwhile both are trimmed, and h comes
 * back as a later extent of the same partition: a reader that took it would leave out
 * what lies between. Offsets: g ends at 5, h began at 5, and begins at 9 in its next life.
 */
export function nextExtentModel(rules: { readonly looksBack: boolean }): Model {
  const names = ['generationG', 'generationH', 'base', 'data', 'writer', 'reader', 'seenH', 'got'] as const
  const [G, H, BASE, DATA, W, R, SEEN_H, GOT] = names.map((_, i) => i) as [number, number, number, number, number, number, number, number]
  const trimming: Stepper = {
    name: 'leader',
    next(state) {
      const changes = [{ [G]: 2 }, { [H]: 2 }, { [BASE]: 9 }, { [H]: 3 }, { [DATA]: 9 }][state[W]!]
      return changes === undefined ? [] : [with_(state, { ...changes, [W]: state[W]! + 1 })]
    },
  }
  const reading: Stepper = {
    name: 'reader',
    next(state) {
      const lost = with_(state, { [R]: 9 })
      switch (state[R]) {
        case 0:
          return [state[H]! % 2 === 1 ? with_(state, { [SEEN_H]: state[H]!, [R]: 1 }) : lost]
        case 1:
          return [!rules.looksBack || state[G] === 1 ? with_(state, { [R]: 2 }) : lost]
        case 2:
          return [with_(state, { [GOT]: state[DATA]!, [R]: 3 })]
        case 3:
          return [state[H] === state[SEEN_H] ? with_(state, { [R]: 4 }) : lost]
        default:
          return []
      }
    },
  }
  return {
    initial: [1, 1, 5, 5, 0, 0, 0, 0],
    threads: [trimming, reading],
    violation: (state) => (state[R] === 4 && state[GOT] !== 5 ? 'the reader left out the batches from 5 to 9' : undefined),
    stuck: () => undefined,
    describe: describeBy(names),
  }
}

/**
 * A reader arms its bell, says that it waits, and looks at the watermark once more before
 * it parks; the leader moves the watermark and rings who waits. Nobody may sleep through it.
 */
export function waiterModel(rules: {
  readonly armsFirst: boolean
  readonly bitFirst: boolean
  readonly looksAgain: boolean
  readonly summaryTakenFirst: boolean
}): Model {
  const names = ['watermark', 'bit', 'summary', 'bell', 'reader', 'leader', 'taken'] as const
  const [MARK, BIT, SUMMARY, BELL, R, L, TAKEN] = names.map((_, i) => i) as [number, number, number, number, number, number, number]
  // The leader moves it twice, and the reader waits for the second time.
  const AWAITED = 2
  const PARKED = 5
  const AWAKE = 6
  const waiting: Stepper = {
    name: 'reader',
    next(state) {
      const [first, second] = rules.bitFirst ? [BIT, SUMMARY] : [SUMMARY, BIT]
      const order = rules.armsFirst ? [BELL, first, second] : [first, second, BELL]
      const pc = state[R]!
      if (pc < 3) return [with_(state, { [order[pc]!]: 1, [R]: pc + 1 })]
      if (pc === 3) return [with_(state, { [R]: rules.looksAgain && state[MARK] === AWAITED ? AWAKE : PARKED })]
      return pc === PARKED && state[BELL] === 0 ? [with_(state, { [R]: AWAKE })] : []
    },
  }
  const ringing: Stepper = {
    name: 'leader',
    next(state) {
      const takeSummary = with_(state, { [SUMMARY]: 0, [L]: state[L]! + 1 })
      const takeBits = with_(state, { [TAKEN]: state[BIT]!, [BIT]: 0, [L]: state[L]! + 1 })
      switch (state[L]) {
        case 0:
          return [with_(state, { [MARK]: state[MARK]! + 1, [L]: 1 })]
        case 1:
          return [with_(state, { [L]: state[SUMMARY] === 0 ? 5 : 2 })]
        case 2:
          return [rules.summaryTakenFirst ? takeSummary : takeBits]
        case 3:
          return [rules.summaryTakenFirst ? takeBits : takeSummary]
        case 4:
          return [with_(state, { [BELL]: state[TAKEN] === 1 ? 0 : state[BELL]!, [L]: 5 })]
        default:
          return state[MARK]! < AWAITED ? [with_(state, { [L]: 0 })] : []
      }
    },
  }
  return {
    // The summary is there already, for another thread of the same word.
    initial: [0, 0, 1, 0, 0, 0, 0],
    threads: [waiting, ringing],
    violation: () => undefined,
    stuck: (state) => (state[R] === PARKED ? 'the reader sleeps though the watermark moved' : undefined),
    describe: describeBy(names),
  }
}

/**
 * An extent comes back to a block that changes hands at the same time. Whoever owns the
 * block in the end must collect it, once.
 */
export function returnModel(rules: { readonly marksFirst: boolean; readonly countResetFirst: boolean }): Model {
  const names = ['state', 'count', 'owner', 'alert1', 'alert2', 'leader', 'first', 'second', 'collected', 'known'] as const
  const [STATE, COUNT, OWNER, ALERT1, ALERT2, L, A, B, COLLECTED, KNOWN] = names.map((_, i) => i) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const RETURNED = 2
  const collect = (state: readonly number[], pc: number, to: number): number[] =>
    with_(state, state[STATE] === RETURNED ? { [STATE]: 0, [COLLECTED]: state[COLLECTED]! + 1, [pc]: to } : { [pc]: to })
  const returning: Stepper = {
    name: 'leader',
    next(state) {
      const mark = with_(state, { [STATE]: RETURNED, [L]: state[L]! + 1 })
      const count = with_(state, { [COUNT]: state[COUNT]! + 1, [L]: state[L]! + 1 })
      switch (state[L]) {
        case 0:
          return [rules.marksFirst ? mark : count]
        case 1:
          return [rules.marksFirst ? count : mark]
        case 2:
          return [with_(state, { [KNOWN]: state[OWNER]!, [L]: 3 })]
        case 3:
          return [with_(state, { [state[KNOWN] === 1 ? ALERT1 : ALERT2]: state[KNOWN] === 0 ? state[ALERT2]! : 1, [L]: 4 })]
        default:
          return []
      }
    },
  }
  /** A turn of an owner that was alerted: exchange of the count, then the look at the rows. */
  const turn = (state: readonly number[], pc: number, start: number, alert: number, after: number): number[][] => {
    if (state[pc] === start) return state[alert] === 1 ? [with_(state, { [alert]: 0, [pc]: start + 1 })] : []
    if (state[pc] === start + 1) return [with_(state, { [pc]: state[COUNT]! > 0 ? start + 2 : after, [COUNT]: 0 })]
    return state[pc] === start + 2 ? [collect(state, pc, after)] : []
  }
  const handing: Stepper = {
    name: 'first owner',
    next(state) {
      if (state[A] === 3) return []
      const release = state[A] === 0 ? [with_(state, { [OWNER]: 0, [A]: 3 })] : []
      return [...release, ...turn(state, A, 0, ALERT1, 0)]
    },
  }
  const claiming: Stepper = {
    name: 'second owner',
    next(state) {
      const reset = (to: number): number[] => with_(state, { [COUNT]: 0, [B]: to })
      switch (state[B]) {
        case 0:
          return state[OWNER] === 0 ? [with_(state, { [OWNER]: 2, [B]: 1 })] : []
        case 1:
          return [rules.countResetFirst ? reset(2) : collect(state, B, 2)]
        case 2:
          return [rules.countResetFirst ? collect(state, B, 3) : reset(3)]
        default:
          return turn(state, B, 3, ALERT2, 3)
      }
    },
  }
  return {
    initial: [1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    threads: [returning, handing, claiming],
    violation: (state) => (state[COLLECTED]! > 1 ? 'the extent was collected twice' : undefined),
    stuck: (state) => (state[STATE] === RETURNED ? 'the extent was returned and never collected' : undefined),
    describe: describeBy(names),
  }
}
