// Models, for the step explorer, of readers under which compaction replaces extents. As in
// generation-model.ts each takes the rule that it may leave out.

import type { Model, Stepper } from '../lane/step-explorer.ts'
import { describeBy, with_ } from './generation-model.ts'

type NineNumbers = [number, number, number, number, number, number, number, number, number]

/**
 * A reader goes on from an extent that lives on to its next one, a, while compaction puts b in
 * the place of a; a comes back as a later extent of the same partition. a began at 5, as b does,
 * and begins at 9 in its next life.
 */
export function replacedExtentModel(rules: { readonly looksBack: boolean }): Model {
  const names = ['next', 'generationA', 'base', 'data', 'leader', 'reader', 'seen', 'seenGeneration', 'got'] as const
  const [NEXT, A, BASE, DATA, L, R, SEEN, SEEN_GENERATION, GOT] = names.map((_, i) => i) as NineNumbers
  const EXTENT_A = 1
  const EXTENT_B = 2
  const compacting: Stepper = {
    name: 'leader',
    next(state) {
      const changes = [{ [NEXT]: EXTENT_B }, { [A]: 2 }, { [BASE]: 9 }, { [A]: 3 }, { [DATA]: 9 }][state[L]!]
      return changes === undefined ? [] : [with_(state, { ...changes, [L]: state[L]! + 1 })]
    },
  }
  const reading: Stepper = {
    name: 'reader',
    next(state) {
      const isA = state[SEEN] === EXTENT_A
      const lost = with_(state, { [R]: 9 })
      switch (state[R]) {
        case 0:
          return [with_(state, { [SEEN]: state[NEXT]!, [R]: 1 })]
        case 1: {
          const generation = isA ? state[A]! : 1
          return [generation % 2 === 1 ? with_(state, { [SEEN_GENERATION]: generation, [R]: 2 }) : lost]
        }
        case 2:
          return [!rules.looksBack || state[NEXT] === state[SEEN] ? with_(state, { [R]: 3 }) : lost]
        case 3:
          return [with_(state, { [GOT]: isA ? state[DATA]! : 5, [R]: 4 })]
        case 4:
          return [!isA || state[A] === state[SEEN_GENERATION] ? with_(state, { [R]: 5 }) : lost]
        default:
          return []
      }
    },
  }
  return {
    initial: [EXTENT_A, 1, 5, 5, 0, 0, 0, 0, 0],
    threads: [compacting, reading],
    violation: (state) => (state[R] === 5 && state[GOT] !== 5 ? 'the reader left out the batches from 5 to 9' : undefined),
    stuck: () => undefined,
    describe: describeBy(names),
  }
}

/**
 * A reader looks for the extent of offset 7, and has come to one that lives on, whose next one is a, from 5 on.
 * Compaction puts b in its place, a comes back as the last extent, from 9 on, and once more in its old place.
 */
export function soughtExtentModel(rules: { readonly looksAtBase: boolean }): Model {
  const names = ['next', 'baseA', 'generationA', 'leader', 'reader', 'seen', 'seenBase'] as const
  const [NEXT, BASE, A, L, R, SEEN, SEEN_BASE] = names.map((_, i) => i) as [number, number, number, number, number, number, number]
  const EXTENT_A = 1
  const EXTENT_B = 2
  const AMISS = 8
  const compacting: Stepper = {
    name: 'leader',
    next(state) {
      const asLast = [{ [NEXT]: EXTENT_B }, { [A]: 2 }, { [BASE]: 9 }, { [A]: 3 }]
      const inItsOldPlace = [{ [A]: 4 }, { [BASE]: 5 }, { [A]: 5 }, { [NEXT]: EXTENT_A }]
      const changes = [...asLast, ...inItsOldPlace][state[L]!]
      return changes === undefined ? [] : [with_(state, { ...changes, [L]: state[L]! + 1 })]
    },
  }
  const baseOf = (state: readonly number[], extent: number): number => (extent === EXTENT_A ? state[BASE]! : 5)
  const seeking: Stepper = {
    name: 'reader',
    next(state) {
      switch (state[R]) {
        case 0:
          return [with_(state, { [SEEN]: state[NEXT]!, [R]: 1 })]
        case 1:
          return [with_(state, { [SEEN_BASE]: baseOf(state, state[SEEN]!), [R]: 2 })]
        case 2:
          // It begins behind the offset, so the one before must hold it; and when that is read to its end, goes on.
          return [with_(state, { [SEEN]: state[NEXT]!, [R]: state[SEEN_BASE]! > 7 ? 3 : 9 })]
        case 3:
          return [with_(state, { [SEEN_BASE]: baseOf(state, state[SEEN]!), [R]: 4 })]
        case 4: {
          const isBelow = state[SEEN_BASE]! < 7
          return [with_(state, { [R]: isBelow && !rules.looksAtBase && state[NEXT] === state[SEEN] ? AMISS : 9 })]
        }
        default:
          return []
      }
    },
  }
  return {
    initial: [EXTENT_A, 5, 1, 0, 0, 0, 0],
    threads: [compacting, seeking],
    violation: (state) => (state[R] === AMISS ? 'the reader takes batches below its position for damage' : undefined),
    stuck: () => undefined,
    describe: describeBy(names),
  }
}
