// The steps of a lane and of parking, one shared access a step, as src/lane and
// src/bells.ts make them: lane-memory-order.test.ts holds the code to this order.
//
// Small on purpose: a ring of 4 units, positions that wrap at 16 and start just
// below, frames of 1 and 2 units, few ack slots. A frame's units are written and read
// one a step, so that a reader that looks too early is seen to do so.

import type { Model, Stepper } from './step-explorer.ts'

/** Ways to get it wrong: the checker must find each. */
export const LANE_MUTANTS = [
  'tail before copy',
  'bell before tail',
  'broker parks without a second look',
  'producer parks without a second look',
  'wanted after the second look',
  'wanted looked at before acks are published',
  'a want is spent on a bell that is not armed',
  'head before handler',
  'one unit too many',
  'no padding',
  'closed looked at after empty',
] as const

export type LaneMutant = (typeof LANE_MUTANTS)[number] | 'death is not noticed'

export interface LaneModelOptions {
  /** Units of each frame, 1 or 2. */
  readonly frames: readonly number[]
  readonly startPosition: number
  /** Frames that may be in flight; 4 at most. */
  readonly ackSlots: number
  /** The producer closes the lane when all is offered, not when all is acked. */
  readonly closesEarly?: boolean
  /** The producer may die between any two steps. */
  readonly producerDies?: boolean
  readonly mutant?: LaneMutant
}

const CAPACITY = 4
const WRAP = 16
const ACK_SLOTS_MAX = 4
// What a unit of the ring holds: 0 before anything was written.
const PADDING = 1
const FIRST_UNIT = 2

const NAMES = [
  // shared
  ...['tail', 'head', 'ackTail', 'ackHead', 'wanted', 'closed', 'brokerBell', 'producerBell', 'notice'],
  ...['unit0', 'unit1', 'unit2', 'unit3', 'ack0', 'ack1', 'ack2', 'ack3'],
  // a thread's wait: 0 none, 1 pending, 2 notified
  ...['brokerWait', 'producerWait'],
  // the producer's own
  ...['producerAt', 'frame', 'copied', 'headSeen', 'acked', 'own'],
  // the broker's own
  ...['brokerAt', 'tailSeen', 'taken', 'read', 'next', 'acksWritten', 'news', 'wantedSeen', 'answered'],
  ...['worked', 'closedSeen'],
  // what went wrong
  'wrong',
] as const

type Name = (typeof NAMES)[number]
const AT = Object.fromEntries(NAMES.map((name, at) => [name, at])) as Record<Name, number>

const PRODUCER_STEPS = [
  ...['offer', 'look at head', 'copy', 'store tail', 'look at bell', 'swap bell', 'notify'],
  ...['want', 'arm', 'look again', 'sleep', 'disarm', 'take acks', 'store ack head', 'close', 'done', 'dead'],
] as const
const BROKER_STEPS = [
  ...['look at tail', 'read unit', 'write ack', 'store head', 'store ack tail', 'look at wanted'],
  ...['look at bell', 'swap bell', 'notify', 'arm', 'look at closed', 'look again', 'sleep', 'disarm', 'done'],
] as const

type ProducerStep = (typeof PRODUCER_STEPS)[number]
type BrokerStep = (typeof BROKER_STEPS)[number]

const WRONGS = ['', 'a unit was read that was not published', 'an ack was read that was not published'] as const
const UNPUBLISHED_UNIT = 1
const UNPUBLISHED_ACK = 2

/** (a - b) | 0, for positions that wrap at 16 and not at 2^32. */
function difference(a: number, b: number): number {
  const modulo = (a - b + 2 * WRAP) % WRAP
  return modulo >= WRAP / 2 ? modulo - WRAP : modulo
}

const wrap = (position: number): number => position % WRAP

export function laneModel(options: LaneModelOptions): Model {
  if (options.ackSlots > ACK_SLOTS_MAX) throw new Error('the model has 4 ack slots')
  const initial = new Array<number>(NAMES.length).fill(0)
  const position = options.startPosition
  for (const name of ['tail', 'head', 'headSeen', 'own', 'tailSeen', 'taken'] as const) initial[AT[name]] = position
  const threads = [new ProducerSteps(options), new BrokerSteps(options)]
  return {
    initial,
    threads: options.producerDies === true && options.mutant !== 'death is not noticed' ? [...threads, DEATH_NOTICE] : threads,
    violation: (state) => WRONGS[state[AT.wrong]!] || undefined,
    stuck(state) {
      const producer = PRODUCER_STEPS[state[AT.producerAt]!]
      if (state[AT.taken] !== state[AT.tail]) return 'a published frame is never taken'
      if (producer !== 'done' && producer !== 'dead') return 'the producer sleeps for ever'
      // A broker that is not told of a death cannot know that nothing more comes.
      if (producer === 'dead' && options.mutant === 'death is not noticed') return undefined
      return BROKER_STEPS[state[AT.brokerAt]!] === 'done' ? undefined : 'the broker sleeps for ever'
    },
    describe: (state) =>
      NAMES.map((name, at) => {
        if (name === 'producerAt') return `producer=${PRODUCER_STEPS[state[at]!]}`
        if (name === 'brokerAt') return `broker=${BROKER_STEPS[state[at]!]}`
        return state[at] === 0 ? '' : `${name}=${state[at]}`
      })
        .filter((text) => text !== '')
        .join(' '),
  }
}

/** The port of a dead thread closes, which wakes the broker's event loop. */
const DEATH_NOTICE: Stepper = {
  name: 'runtime',
  next(state) {
    if (state[AT.notice] === 1 || PRODUCER_STEPS[state[AT.producerAt]!] !== 'dead') return []
    const after = state.slice()
    after[AT.notice] = 1
    return [after]
  },
}

class ProducerSteps implements Stepper {
  readonly name = 'producer'
  readonly #options: LaneModelOptions

  constructor(options: LaneModelOptions) {
    this.#options = options
  }

  next(state: readonly number[]): number[][] {
    const at = PRODUCER_STEPS[state[AT.producerAt]!]!
    if (at === 'done' || at === 'dead') return []
    const after = state.slice()
    const stepped = this.#step(at, after) ? [after] : []
    if (this.#options.producerDies === true) {
      const dead = state.slice()
      dead[AT.producerAt] = PRODUCER_STEPS.indexOf('dead')
      stepped.push(dead)
    }
    return stepped
  }

  #step(at: ProducerStep, s: number[]): boolean {
    const { mutant } = this.#options
    switch (at) {
      case 'offer': // no shared access: goes on at once to the first step of what it decides
        this.#decide(s)
        return s[AT.producerAt] === PRODUCER_STEPS.indexOf('done') || this.#step(PRODUCER_STEPS[s[AT.producerAt]!]!, s)
      case 'look at head':
        s[AT.headSeen] = s[AT.head]!
        goP(s, this.#hasRoom(s) ? this.#afterClaim() : this.#parking())
        return true
      case 'copy':
        this.#copyUnit(s)
        return true
      case 'store tail':
        s[AT.tail] = wrap(s[AT.own]! + this.#need(s))
        if (mutant === 'tail before copy') goP(s, 'copy')
        else this.#published(s)
        return true
      case 'look at bell':
        if (s[AT.brokerBell] === 1) goP(s, 'swap bell')
        else this.#rung(s)
        return true
      case 'swap bell':
        if (s[AT.brokerBell] === 1) {
          s[AT.brokerBell] = 0
          goP(s, 'notify')
        } else this.#rung(s)
        return true
      case 'notify':
        if (s[AT.brokerWait] === 1) s[AT.brokerWait] = 2
        this.#rung(s)
        return true
      case 'take acks': {
        const unread = difference(s[AT.ackTail]!, s[AT.ackHead]!)
        if (unread === 0) {
          goP(s, this.#parking())
          return true
        }
        // Acks come in the order of their frames in this model: the ack's name is the frame's.
        if (s[AT.ack0 + (s[AT.acked]! % this.#options.ackSlots)] !== s[AT.acked]! + 1) s[AT.wrong] = UNPUBLISHED_ACK
        s[AT.acked]!++
        goP(s, 'store ack head')
        return true
      }
      case 'store ack head':
        s[AT.ackHead] = wrap(s[AT.ackHead]! + 1)
        goP(s, 'offer')
        return true
      case 'close':
        s[AT.closed] = 1
        goP(s, 'look at bell')
        return true
      default:
        return this.#park(at, s)
    }
  }

  #park(at: ProducerStep, s: number[]): boolean {
    const { mutant } = this.#options
    switch (at) {
      case 'want':
        s[AT.wanted]!++
        goP(s, mutant === 'wanted after the second look' ? 'sleep' : 'arm')
        return true
      case 'arm':
        s[AT.producerBell] = 1
        goP(s, mutant === 'producer parks without a second look' ? 'sleep' : 'look again')
        return true
      case 'look again': {
        const found = this.#waitsForAck(s) ? s[AT.ackTail] !== s[AT.ackHead] : this.#roomNow(s)
        goP(s, found ? 'disarm' : mutant === 'wanted after the second look' ? 'want' : 'sleep')
        return true
      }
      case 'sleep':
        return sleep(s, AT.producerBell, AT.producerWait, false, () => goP(s, 'disarm'))
      case 'disarm':
        s[AT.producerBell] = 0
        goP(s, 'offer')
        return true
      default:
        throw new Error(at)
    }
  }

  /** What to do next: all that needs no look at shared memory. */
  #decide(s: number[]): void {
    const { frames, closesEarly } = this.#options
    const isDone = closesEarly === true ? s[AT.frame] === frames.length : s[AT.acked] === frames.length
    if (isDone) goP(s, s[AT.closed] === 1 ? 'done' : 'close')
    else if (this.#waitsForAck(s)) goP(s, 'take acks')
    else goP(s, this.#hasRoom(s) ? this.#afterClaim() : 'look at head')
  }

  #waitsForAck(s: readonly number[]): boolean {
    return s[AT.frame] === this.#options.frames.length || s[AT.frame]! - s[AT.acked]! >= this.#options.ackSlots
  }

  /** The first step of parking. */
  #parking(): ProducerStep {
    return this.#options.mutant === 'wanted after the second look' ? 'arm' : 'want'
  }

  #afterClaim(): ProducerStep {
    return this.#options.mutant === 'tail before copy' ? 'store tail' : 'copy'
  }

  #padding(s: readonly number[]): number {
    const toEnd = CAPACITY - (s[AT.own]! % CAPACITY)
    return this.#options.frames[s[AT.frame]!]! > toEnd && this.#options.mutant !== 'no padding' ? toEnd : 0
  }

  #need(s: readonly number[]): number {
    return this.#padding(s) + this.#options.frames[s[AT.frame]!]!
  }

  #hasRoom(s: readonly number[]): boolean {
    const extra = this.#options.mutant === 'one unit too many' ? 1 : 0
    return difference(s[AT.own]!, s[AT.headSeen]!) + this.#need(s) <= CAPACITY + extra
  }

  #roomNow(s: number[]): boolean {
    s[AT.headSeen] = s[AT.head]!
    return this.#hasRoom(s)
  }

  #copyUnit(s: number[]): void {
    const padding = this.#padding(s)
    const done = s[AT.copied]!
    if (padding !== 0 && done === 0) {
      s[AT.unit0 + (s[AT.own]! % CAPACITY)] = PADDING
      s[AT.copied] = padding
    } else {
      s[AT.unit0 + ((s[AT.own]! + done) % CAPACITY)] = FIRST_UNIT + 2 * s[AT.frame]! + (done - padding)
      s[AT.copied] = done + 1
    }
    if (s[AT.copied] !== this.#need(s)) return
    if (this.#options.mutant === 'tail before copy') this.#published(s)
    else goP(s, this.#options.mutant === 'bell before tail' ? 'look at bell' : 'store tail')
  }

  #published(s: number[]): void {
    if (this.#options.mutant === 'bell before tail') this.#nextFrame(s)
    else goP(s, 'look at bell')
  }

  #rung(s: number[]): void {
    if (s[AT.closed] === 1) goP(s, 'done')
    else if (this.#options.mutant === 'bell before tail') goP(s, 'store tail')
    else this.#nextFrame(s)
  }

  #nextFrame(s: number[]): void {
    s[AT.own] = wrap(s[AT.own]! + this.#need(s))
    s[AT.copied] = 0
    s[AT.frame]!++
    goP(s, 'offer')
  }
}

class BrokerSteps implements Stepper {
  readonly name = 'broker'
  readonly #options: LaneModelOptions

  constructor(options: LaneModelOptions) {
    this.#options = options
  }

  next(state: readonly number[]): number[][] {
    const after = state.slice()
    return this.#step(BROKER_STEPS[state[AT.brokerAt]!]!, after) ? [after] : []
  }

  #step(at: BrokerStep, s: number[]): boolean {
    const { mutant } = this.#options
    switch (at) {
      case 'look at tail':
        s[AT.tailSeen] = s[AT.tail]!
        if (s[AT.tailSeen] === s[AT.taken]) this.#idleOrAgain(s)
        else {
          s[AT.worked] = 1
          goB(s, mutant === 'head before handler' ? 'store head' : 'read unit')
        }
        return true
      case 'read unit':
        this.#readUnit(s)
        return true
      case 'write ack':
        s[AT.ack0 + (s[AT.acksWritten]! % this.#options.ackSlots)] = s[AT.acksWritten]! + 1
        s[AT.acksWritten]!++
        this.#nextFrame(s)
        return true
      case 'store head':
        s[AT.head] = mutant === 'head before handler' ? s[AT.tailSeen]! : s[AT.taken]!
        s[AT.news] = 1
        goB(s, mutant === 'head before handler' ? 'read unit' : this.#flush())
        return true
      case 'store ack tail':
        s[AT.ackTail] = wrap(s[AT.acksWritten]!)
        goB(s, mutant === 'wanted looked at before acks are published' ? 'look at tail' : 'look at wanted')
        return true
      case 'look at wanted':
        s[AT.news] = 0
        s[AT.wantedSeen] = s[AT.wanted]!
        if (s[AT.wanted] === s[AT.answered]) this.#flushed(s)
        else goB(s, 'look at bell')
        if (mutant === 'a want is spent on a bell that is not armed') s[AT.answered] = s[AT.wanted]!
        return true
      case 'look at bell':
        if (s[AT.producerBell] === 1) goB(s, 'swap bell')
        else this.#flushed(s)
        return true
      case 'swap bell':
        if (s[AT.producerBell] === 1) {
          s[AT.producerBell] = 0
          s[AT.answered] = s[AT.wantedSeen]!
          goB(s, 'notify')
        } else this.#flushed(s)
        return true
      case 'notify':
        if (s[AT.producerWait] === 1) s[AT.producerWait] = 2
        this.#flushed(s)
        return true
      case 'done':
        return false
      default:
        return this.#park(at, s)
    }
  }

  #park(at: BrokerStep, s: number[]): boolean {
    const { mutant } = this.#options
    const after = mutant === 'closed looked at after empty'
    switch (at) {
      case 'arm':
        s[AT.brokerBell] = 1
        if (mutant === 'broker parks without a second look') goB(s, 'sleep')
        else goB(s, after ? 'look again' : 'look at closed')
        return true
      case 'look at closed':
        s[AT.closedSeen] = s[AT.closed]! | s[AT.notice]!
        if (after) goB(s, s[AT.closedSeen] === 1 ? 'done' : 'sleep')
        else goB(s, 'look again')
        return true
      case 'look again':
        if (s[AT.tail] !== s[AT.taken]) goB(s, 'disarm')
        else if (after) goB(s, 'look at closed')
        else goB(s, s[AT.closedSeen] === 1 ? 'done' : 'sleep')
        return true
      case 'sleep':
        return sleep(s, AT.brokerBell, AT.brokerWait, s[AT.notice] === 1, () => goB(s, 'disarm'))
      case 'disarm':
        s[AT.brokerBell] = 0
        goB(s, 'look at tail')
        return true
      default:
        throw new Error(at)
    }
  }

  #readUnit(s: number[]): void {
    const place = (s[AT.taken]! + s[AT.read]!) % CAPACITY
    const unit = s[AT.unit0 + place]!
    const frame = s[AT.next]!
    const units = this.#options.frames[frame]
    if (s[AT.read] === 0 && unit === PADDING) {
      s[AT.taken] = wrap(s[AT.taken]! + CAPACITY - place)
      if (s[AT.taken] === s[AT.tailSeen]) goB(s, 'store head')
      return
    }
    if (units === undefined || unit !== FIRST_UNIT + 2 * frame + s[AT.read]! || place + units - s[AT.read]! > CAPACITY) {
      s[AT.wrong] = UNPUBLISHED_UNIT
      return
    }
    s[AT.read]!++
    if (s[AT.read] !== units) return
    s[AT.read] = 0
    s[AT.taken] = wrap(s[AT.taken]! + units)
    s[AT.next]!++
    goB(s, 'write ack')
  }

  #nextFrame(s: number[]): void {
    if (s[AT.taken] !== s[AT.tailSeen]) goB(s, 'read unit')
    else goB(s, this.#options.mutant === 'head before handler' ? this.#flush() : 'store head')
  }

  #flush(): BrokerStep {
    return this.#options.mutant === 'wanted looked at before acks are published' ? 'look at wanted' : 'store ack tail'
  }

  #flushed(s: number[]): void {
    goB(s, this.#options.mutant === 'wanted looked at before acks are published' ? 'store ack tail' : 'look at tail')
  }

  #idleOrAgain(s: number[]): void {
    if (s[AT.worked] === 1) {
      s[AT.worked] = 0
      goB(s, 'look at tail')
    } else goB(s, 'arm')
  }
}

/**
 * Atomics.waitAsync on a bell, which looks at the bell and queues in one step; a pending
 * one is used again. True when the thread stepped.
 */
function sleep(s: number[], bell: number, wait: number, noticed: boolean, wake: () => void): boolean {
  if (s[wait] === 2 || (s[wait] === 0 && s[bell] === 0) || noticed) {
    if (s[wait] === 2) s[wait] = 0
    wake()
    return true
  }
  if (s[wait] === 1) return false
  s[wait] = 1
  return true
}

function goP(s: number[], step: ProducerStep): void {
  s[AT.producerAt] = PRODUCER_STEPS.indexOf(step)
}

function goB(s: number[], step: BrokerStep): void {
  s[AT.brokerAt] = BROKER_STEPS.indexOf(step)
}
