// Consumers of one group, a real coordinator and virtual time, as chance has it: members come,
// go, stall, are put out, and lose requests and answers. Whatever happens, a partition is read
// by one of them at a time, in order; nothing is passed over that was not settled; and nothing
// comes twice where its partition was given up in peace.

import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import { MillraceError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { GroupWorld, settled } from './group-world.ts'
import type { TextTopic } from './hand-driven-log.ts'

const SEED = 0x848
const RUNS = 40
const STEPS = 150
const MEMBERS = 4
const PARTITIONS = 5
const MAX_POLL_INTERVAL_MS = 20_000

interface Partition {
  sent: number
  /** All below was settled by somebody. */
  settled: number
  /** Who was assigned it last, and what he must read next; undefined: nothing of it yet. */
  owner: Member | undefined
  next: number | undefined
  /** What he has settled himself; undefined: nothing. */
  own: number | undefined
  /** Where it was given up in peace, since it was read last. */
  handedOver: number | undefined
}

interface Member {
  readonly id: number
  readonly consumer: Consumer
  loop: AsyncIterableIterator<ConsumerBatch, undefined, void> | undefined
  isAsking: boolean
  inHand: ConsumerBatch | undefined
  /** It was put out, or has stood still, since it was last assigned something. */
  isFenced: boolean
}

class Run {
  readonly world: GroupWorld
  readonly topic: TextTopic
  readonly counts = { batches: 0, assigned: 0, revoked: 0, lost: 0, fenced: 0, again: 0 }
  readonly #partitions: Partition[] = Array.from({ length: PARTITIONS }, () => ({
    sent: 0,
    settled: 0,
    owner: undefined,
    next: undefined,
    own: undefined,
    handedOver: undefined,
  }))
  readonly #members: Member[]
  readonly #random: Random
  readonly #failures: unknown[] = []
  #isCalm = false

  constructor(random: Random) {
    this.#random = random
    this.world = new GroupWorld(random)
    this.topic = this.world.logs.topic(PARTITIONS)
    this.#members = Array.from({ length: MEMBERS }, (_, id) => this.#member(id))
    this.world.intercept = (api) => {
      if (this.#isCalm || api !== 'consumerGroupHeartbeat' || random.below(25) > 0) return undefined
      throw new MillraceError('REQUEST_TIMED_OUT', 'it did not arrive')
    }
    this.world.isLost = (api) => !this.#isCalm && api === 'consumerGroupHeartbeat' && random.below(25) === 0
  }

  async step(): Promise<void> {
    const member = this.#members[this.#random.below(MEMBERS)]!
    switch (this.#random.below(12)) {
      case 0:
      case 1:
        this.#append()
        break
      case 2:
        this.#end(member)
        break
      case 3:
        if (this.#random.below(3) === 0) this.#fence(member)
        break
      case 4:
        await this.#time(this.#random.below(9) === 0 ? MAX_POLL_INTERVAL_MS : this.#random.below(3_000))
        break
      case 5:
        void member.consumer.commit().catch((error: MillraceError) => {
          if (error.code !== 'STALE_MEMBER_EPOCH') this.#failures.push(error)
        })
        break
      default:
        this.#ask(member)
    }
    await settled(this.#random.below(12))
    this.#check()
  }

  /** All is read by those who are left. */
  async end(): Promise<void> {
    this.#isCalm = true
    for (let turn = 0; turn < 300 && this.#areUncommitted(); turn++) {
      for (const member of this.#members) this.#ask(member)
      await this.#time(1_000)
      this.#check()
    }
    expect(this.#partitions.map((each) => each.settled)).toEqual(this.#partitions.map(({ sent }) => sent))
    const closing = Promise.all(this.#members.map(({ consumer }) => consumer.close()))
    // A leave that went astray is made good by the session timeout.
    await this.#time(50_000)
    await closing
    this.#check()
    expect(this.world.memberIds()).toEqual([])
    expect(this.world.committed(this.topic)).toEqual(this.#partitions.map(({ sent }) => sent))
    expect({ timers: this.world.clientTimers, held: this.world.held }).toEqual({ timers: 0, held: 0 })
  }

  #areUncommitted(): boolean {
    const committed = this.world.committed(this.topic)
    return this.#partitions.some(({ sent }, partition) => (committed[partition] ?? 0) < sent)
  }

  #member(id: number): Member {
    const each = (partitions: readonly { partition: number }[], work: (partition: Partition) => void): void => {
      for (const { partition } of partitions) work(this.#partitions[partition]!)
    }
    const consumer = this.world.consumer({
      maxPollRecords: 2,
      autoCommitIntervalMs: 2_000,
      maxPollIntervalMs: MAX_POLL_INTERVAL_MS,
      onAssigned: (partitions) => {
        this.counts.assigned++
        member.isFenced = false
        each(partitions, (partition) => {
          partition.owner = member
          partition.next = undefined
          partition.own = undefined
        })
      },
      onRevoked: (partitions) => {
        this.counts.revoked++
        each(partitions, (partition) => {
          if (partition.owner === member && !member.isFenced) partition.handedOver = partition.own ?? partition.handedOver
        })
      },
      onLost: (partitions) => {
        this.counts.lost++
        // What he has in hand he does not settle any more.
        if (partitions.some(({ partition }) => partition === member.inHand?.partition)) member.inHand = undefined
      },
    })
    const member: Member = { id, consumer, loop: undefined, isAsking: false, inHand: undefined, isFenced: false }
    return member
  }

  #append(): void {
    const at = this.#random.below(PARTITIONS)
    const partition = this.#partitions[at]!
    const count = 1 + this.#random.below(4)
    this.world.logs.append(
      this.topic,
      Array.from({ length: count }, (_, i) => `${partition.sent + i}`),
      at,
    )
    partition.sent += count
  }

  #ask(member: Member): void {
    if (member.isAsking) return
    member.loop ??= member.consumer.batches(this.topic)
    this.#settle(member)
    member.isAsking = true
    const { loop } = member
    loop.next().then(
      (result) => {
        member.isAsking = false
        if (result.done !== true && member.loop === loop) this.#read(member, result.value)
      },
      (error: unknown) => {
        member.isAsking = false
        member.loop = undefined
        this.#failures.push(error)
      },
    )
  }

  /** Asking for the next settles the one before, if its partition is still this member's. */
  #settle(member: Member): void {
    const batch = member.inHand
    member.inHand = undefined
    if (batch === undefined) return
    const partition = this.#partitions[batch.partition]!
    if (partition.owner !== member) return
    partition.own = batch.nextOffset
    partition.settled = Math.max(partition.settled, batch.nextOffset)
  }

  #read(member: Member, batch: ConsumerBatch): void {
    this.counts.batches++
    const partition = this.#partitions[batch.partition]!
    const what = `member ${member.id} got ${batch.partition}:${batch.firstOffset}`
    if (partition.owner !== member) this.#failures.push(new Error(`${what}, which is member ${partition.owner?.id}'s`))
    if (partition.next === undefined) {
      if (batch.firstOffset > partition.settled) this.#failures.push(new Error(`${what}, and ${partition.settled} was not settled`))
      if (batch.firstOffset < partition.settled) this.counts.again++
      const from = partition.handedOver
      if (from !== undefined && batch.firstOffset < from) this.#failures.push(new Error(`${what}, and it was given up at ${from}`))
    } else if (batch.firstOffset !== partition.next) {
      this.#failures.push(new Error(`${what}, not ${partition.next}`))
    }
    partition.handedOver = undefined
    partition.next = batch.nextOffset
    member.inHand = batch
  }

  #end(member: Member): void {
    if (member.loop === undefined) return
    const { loop } = member
    member.loop = undefined
    member.inHand = undefined
    // Until it is over no other loop of this consumer reads the topic.
    member.isAsking = true
    void loop.return!().then(() => {
      member.isAsking = false
    })
  }

  #fence(member: Member): void {
    const { memberId } = member.consumer.groupMetadata()
    if (!this.world.memberIds().includes(memberId)) return
    this.counts.fenced++
    member.isFenced = true
    for (const partition of this.#partitions) if (partition.owner === member) partition.handedOver = undefined
    this.world.fence(memberId)
  }

  async #time(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.world.logs.clock.advance(Math.min(left, 500))
      await settled(12)
    }
  }

  #check(): void {
    if (this.#failures.length > 0) throw this.#failures[0]
  }
}

describe('a group as chance has it', () => {
  test(`${RUNS} runs of ${STEPS} steps, seed ${SEED}`, { timeout: 120_000 }, async () => {
    const counts: Record<string, number> = {}
    for (let run = 0; run < RUNS; run++) {
      const each = new Run(seededRandom(SEED + run))
      try {
        for (let step = 0; step < STEPS; step++) await each.step()
        await each.end()
      } catch (error) {
        throw new Error(`run ${run} of seed ${SEED}: ${String(error)}`, { cause: error })
      }
      for (const [name, count] of Object.entries(each.counts)) counts[name] = (counts[name] ?? 0) + count
    }
    console.log(`groups at random, seed ${SEED}: ${JSON.stringify(counts)}`)
    for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(20)
  })
})
