// Members of a group come, fail and go while records are held, by a seed: whatever happens, no
// record is passed over. Replay with MILLRACE_SEED=<number>.

import { map } from 'rxjs'
import type { Subscription } from 'rxjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'
import { fromTopic } from '../../../src/rxjs.ts'
import type { Hold } from '../../../src/rxjs.ts'
import { ContractWorld, turns, until } from './contract-world.ts'
import type { Numbers } from './contract-world.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 1_130)
const PARTITIONS = 4
const ROUNDS = 60
const MEMBERS = 4

let world: ContractWorld
beforeAll(async () => {
  world = await ContractWorld.open()
})
afterAll(() => world.close())

interface Held {
  readonly key: string
  readonly hold: Hold
}

class Member {
  readonly held: Held[] = []
  readonly subscription: Subscription
  isOver = false
  /** The next record is one too many. */
  fails = false

  constructor(topic: Numbers, groupId: string, random: Random, done: Set<string>) {
    const records = fromTopic(topic, { groupId, maxInFlight: 8, autoCommitIntervalMs: 0 }).pipe(
      map((record) => {
        if (this.fails) throw new Error('one too many')
        return record
      }),
    )
    const over = (): void => void (this.isOver = true)
    this.subscription = records.subscribe({
      next: (record) => {
        const key = `${record.partition}-${record.offset}`
        if (random.fraction() < 0.5) this.held.push({ key, hold: record.hold() })
        else done.add(key)
      },
      error: over,
    })
    this.subscription.add(over)
  }

  /** Those that it releases in time are done with. */
  release(count: number, done: Set<string>): void {
    for (const { key, hold } of this.held.splice(0, count)) {
      hold.release()
      if (!this.isOver) done.add(key)
    }
  }
}

test('no record is passed over, whoever comes, fails or goes', async () => {
  console.log(`seed ${SEED}`)
  const random = seededRandom(SEED)
  const topic = await world.filled(0, PARTITIONS)
  const producer = world.millrace.producer()
  const groupId = world.name()
  const done = new Set<string>()
  let members: Member[] = []
  let sent = 0
  for (let round = 0; round < ROUNDS; round++) {
    members = members.filter(({ isOver }) => !isOver)
    if (members.length === 0 || (members.length < MEMBERS && random.fraction() < 0.3))
      members.push(new Member(topic, groupId, random, done))
    const records = Array.from({ length: random.below(20) }, () => ({ value: sent++, partition: random.below(PARTITIONS) }))
    await producer.sendAll(topic, records)
    const member = members[random.below(members.length)]!
    const dice = random.fraction()
    if (dice < 0.1) member.fails = true
    else if (dice < 0.2) member.subscription.unsubscribe()
    for (const each of members) each.release(random.below(6), done)
    await turns(random.below(30))
  }
  members.push(new Member(topic, groupId, random, done))
  await until(() => {
    for (const member of members) member.release(100, done)
    return done.size === sent
  })
  for (const { subscription } of members) subscription.unsubscribe()
  await world.committedAtLast(groupId)
  expect(done.size).toBe(sent)
}, 120_000)
