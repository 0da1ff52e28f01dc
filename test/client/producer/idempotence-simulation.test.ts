// A producer against brokers that refuse, die, stall, drop lanes and lose what they had not
// published, as chance has it, in virtual time and on one thread; then the logs are held
// against what every send was told. What leaders know of producers is the real state.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Producer } from '../../../src/client/producer/producer.ts'
import { KAFKA_ERRORS, MillraceError } from '../../../src/errors.ts'
import { ProducerStates, SEQUENCE_NEXT, SEQUENCE_OUT_OF_ORDER } from '../../../src/partition/producer-state.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { sequenceAfter } from '../../../src/record/sequence.ts'
import { HandDrivenBroker } from './hand-driven-broker.ts'
import type { TakenBatch } from './hand-driven-broker.ts'

const BROKERS = 3
const PARTITIONS = 3
const DELIVERY_TIMEOUT_MS = 1_000

interface LoggedBatch {
  readonly baseOffset: number
  readonly batch: TakenBatch
}

/** One partition: its leader, its log, and what is published of it. */
class ModelPartition {
  leader = 0
  epoch = 0
  log: LoggedBatch[] = []
  published = 0
  states = new ProducerStates()
  unanswered: { batch: TakenBatch; baseOffset: number }[] = []

  get endOffset(): number {
    const last = this.log.at(-1)
    return last === undefined ? 0 : last.baseOffset + last.batch.values.length
  }

  /** What a leader does with a batch that it takes off a lane. */
  take(batch: TakenBatch, refusal: number): void {
    if (batch.leaderEpoch !== this.epoch || batch.brokerId !== this.leader) return batch.refuse(KAFKA_ERRORS.NOT_LEADER_OR_FOLLOWER)
    const { producerId, producerEpoch, baseSequence, values } = batch
    const found = this.states.check(producerId, producerEpoch, baseSequence, values.length - 1, true)
    if (found >= 0) return void this.unanswered.push({ batch, baseOffset: found })
    if (found === SEQUENCE_OUT_OF_ORDER) return batch.refuse(KAFKA_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER)
    if (found !== SEQUENCE_NEXT) throw new Error(`a batch is answered with ${found}`)
    if (refusal !== 0) return batch.refuse(refusal)
    const baseOffset = this.endOffset
    this.#append({ baseOffset, batch })
    this.unanswered.push({ batch, baseOffset })
  }

  publish(): void {
    this.published = this.log.length
    for (const { batch, baseOffset } of this.unanswered.splice(0)) batch.ack(baseOffset)
  }

  /** The leader dies: what it had not published is gone, and nobody is answered. */
  lose(): void {
    this.unanswered = []
    const kept = this.log.slice(0, this.published)
    this.log = []
    this.states = new ProducerStates()
    for (const each of kept) this.#append(each)
    this.leader = -1
  }

  #append(logged: LoggedBatch): void {
    const { producerId, producerEpoch, baseSequence, values } = logged.batch
    this.log.push(logged)
    const lastDelta = values.length - 1
    this.states.appended(producerId, producerEpoch, sequenceAfter(baseSequence, lastDelta), logged.baseOffset, lastDelta, -1, 1_024)
  }
}

type Outcome = number | MillraceError

class Simulation {
  readonly broker = new HandDrivenBroker()
  readonly topic = this.broker.topic({ partitions: PARTITIONS })
  readonly partitions = Array.from({ length: PARTITIONS }, () => new ModelPartition())
  /** By partition: what became of each send, in the order of the calls. */
  readonly outcomes: (Outcome | undefined)[][] = this.partitions.map(() => [])
  readonly faults = { deaths: 0, drops: 0, refused: 0, tooLarge: 0, waits: 0 }
  readonly #random: Random
  readonly #producer: Producer
  /** Nothing goes wrong any more. */
  #isCalm = false

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#producer = this.broker.producer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS, batchSize: 4_096, maxBlockMs: 10_000 }, seed)
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      this.#step()
      if (this.#random.below(3) > 0) await nextTurn()
    }
    this.#isCalm = true
    for (let i = 0; i < 200 && this.#pending > 0; i++) {
      this.#elect()
      this.#turn(() => true)
      for (const partition of this.partitions) partition.publish()
      this.broker.clock.advance(20)
      await nextTurn()
    }
    await this.#producer.flush()
    await this.#producer.close()
    this.broker.close()
  }

  verify(): void {
    for (const [p, { log }] of this.partitions.entries()) {
      const outcomes = this.outcomes[p]!
      const offsets = new Map<number, number>()
      let last = -1
      for (const { baseOffset, batch } of log) {
        for (const [i, value] of batch.values.entries()) {
          const number = Number(value.split(' ')[0])
          if (number <= last) throw new Error(`record ${number} of partition ${p} comes after ${last}: doubled or reordered`)
          last = number
          offsets.set(number, baseOffset + i)
        }
      }
      for (const [number, outcome] of outcomes.entries()) {
        const where = `record ${number} of partition ${p}`
        if (outcome === undefined) throw new Error(`${where} has no outcome`)
        if (typeof outcome === 'number') {
          if (offsets.get(number) !== outcome) throw new Error(`${where} was acknowledged at ${outcome}, and is at ${offsets.get(number)}`)
        } else if (outcome.code === 'OUT_OF_ORDER_SEQUENCE_NUMBER') {
          // Nothing that was acknowledged is ever lost here.
          throw new Error(`${where} failed with ${outcome.code}`)
        } else if (outcome.code !== 'REQUEST_TIMED_OUT' && offsets.has(number)) {
          throw new Error(`${where} is in the log, and failed with ${outcome.code}`)
        }
      }
    }
  }

  get #pending(): number {
    return this.outcomes.flat().filter((outcome) => outcome === undefined).length
  }

  #step(): void {
    const random = this.#random
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
        for (let i = random.below(12); i >= 0; i--) this.#send()
        return
      case 3:
      case 4:
      case 5:
      case 6: {
        const isAwake = Array.from({ length: BROKERS }, () => random.below(3) > 0)
        return this.#turn((id) => isAwake[id]!)
      }
      case 7:
      case 8:
        return this.partitions[random.below(PARTITIONS)]!.publish()
      case 9:
        return random.below(3) === 0 ? this.#kill(random.below(BROKERS)) : undefined
      case 10:
        return this.#elect()
      case 11:
        return random.below(8) === 0 ? this.#dropLanes(random.below(BROKERS)) : undefined
      case 12:
        return this.broker.clock.advance(1 + random.below(60))
      default:
        if (random.below(25) > 0) return
        this.faults.waits++
        this.broker.clock.advance(DELIVERY_TIMEOUT_MS * 0.6)
    }
  }

  #send(): void {
    const partition = this.#random.below(PARTITIONS)
    const own = this.outcomes[partition]!
    const number = own.push(undefined) - 1
    const value = `${number} ${'x'.repeat(this.#random.below(600))}`
    this.#producer.send(this.topic, { value, partition }).then(
      ({ offset }) => (own[number] = offset),
      (error: unknown) => (own[number] = error as MillraceError),
    )
  }

  #turn(isTurn: (brokerId: number) => boolean): void {
    for (const batch of this.broker.take(isTurn)) this.partitions[batch.partition]!.take(batch, this.#refusal())
  }

  #refusal(): number {
    const chance = this.#isCalm ? 100 : this.#random.below(100)
    if (chance < 5) this.faults.refused++
    if (chance === 5) this.faults.tooLarge++
    if (chance < 5) return chance < 3 ? KAFKA_ERRORS.KAFKA_STORAGE_ERROR : KAFKA_ERRORS.CORRUPT_MESSAGE
    return chance === 5 ? KAFKA_ERRORS.MESSAGE_TOO_LARGE : 0
  }

  #kill(brokerId: number): void {
    this.faults.deaths++
    for (const [p, partition] of this.partitions.entries()) {
      if (partition.leader !== brokerId) continue
      partition.lose()
      if (this.#random.below(2) === 0) this.broker.elect(this.topic, p, -1, 0)
    }
    this.broker.kill(brokerId)
    if (this.#random.below(2) === 0) this.#elect()
  }

  /** A leader for every partition that has none; the one that died may be back. */
  #elect(): void {
    for (const [p, partition] of this.partitions.entries()) {
      if (partition.leader >= 0) continue
      partition.leader = this.#random.below(BROKERS)
      partition.epoch++
      this.broker.elect(this.topic, p, partition.leader, partition.epoch)
    }
  }

  /** The broker finds its lanes damaged: it reads them no longer, and answers nobody who came by them. */
  #dropLanes(brokerId: number): void {
    this.faults.drops++
    const dropped = this.broker.dropLanes(brokerId)
    for (const partition of this.partitions) {
      partition.unanswered = partition.unanswered.filter(({ batch }) => !dropped.has(batch.lane))
    }
  }
}

const SEED = 0x1de9
const SEEDS = 60

test('every record once, in order, where it was acknowledged', async () => {
  const sum = { sends: 0, acked: 0, failed: 0, epochs: 0, deaths: 0, drops: 0, refused: 0, tooLarge: 0, waits: 0 }
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    const simulation = new Simulation(seed)
    try {
      await simulation.run(500)
      simulation.verify()
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
    const outcomes = simulation.outcomes.flat()
    sum.sends += outcomes.length
    sum.acked += outcomes.filter((outcome) => typeof outcome === 'number').length
    sum.failed += outcomes.filter((outcome) => outcome instanceof MillraceError).length
    for (const { log } of simulation.partitions) sum.epochs += Math.max(0, ...log.map(({ batch }) => batch.producerEpoch))
    for (const [fault, count] of Object.entries(simulation.faults)) sum[fault as keyof Simulation['faults']] += count
  }
  console.log(`seeds ${SEED} to ${SEED + SEEDS - 1}: ${JSON.stringify(sum)}`)
  for (const count of Object.values(sum)) expect(count).toBeGreaterThan(10)
})
