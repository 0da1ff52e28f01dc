import { describe, expect, test } from 'vitest'
import { rangeAssignor } from '../../../src/coordinator/assignor/sticky-range-assignor.ts'
import type { AssignorInput, AssignorMember, Partitions } from '../../../src/coordinator/assignor/target-assignor.ts'
import { uniformAssignor } from '../../../src/coordinator/assignor/uniform-assignor.ts'
import { seededRandom } from '../../../src/random.ts'
import type { Random } from '../../../src/random.ts'

const CASES = 10_000
const SEED = 848

type Target = ReadonlyMap<string, Partitions>

interface World {
  readonly members: Map<string, Set<string>>
  readonly topics: Map<string, number>
}

function randomWorld(random: Random, isAlike: boolean): World {
  const topics = new Map(Array.from({ length: 1 + random.below(5) }, (_, i) => [`t${i}`, random.below(7)]))
  const names = [...topics.keys()]
  const members = new Map<string, Set<string>>()
  for (let i = 0; i < 1 + random.below(7); i++) {
    members.set(`m${i}`, new Set(isAlike ? names : names.filter(() => random.below(2) === 0)))
  }
  return { members, topics }
}

/** Somebody comes or goes, wants something else, or a topic has more partitions. */
function changed({ members, topics }: World, random: Random, isAlike: boolean): World {
  const next = { members: new Map(members), topics: new Map(topics) }
  const names = [...topics.keys()]
  for (let i = 0; i <= random.below(3); i++) {
    const kind = random.below(isAlike ? 3 : 4)
    const memberId = `m${random.below(9)}`
    const wanted = new Set(isAlike ? names : names.filter(() => random.below(2) === 0))
    if (kind === 0) next.members.set(memberId, members.get(memberId) ?? wanted)
    else if (kind === 1 && next.members.size > 1) next.members.delete(memberId)
    else if (kind === 2) next.topics.set(names[0]!, next.topics.get(names[0]!)! + random.below(4))
    else if (kind === 3 && next.members.has(memberId)) next.members.set(memberId, wanted)
  }
  return next
}

function inputOf({ members, topics }: World, previous: Target): AssignorInput {
  const wanted = new Set([...members.values()].flatMap((names) => [...names]))
  return {
    members: [...members].map(([memberId, names]): AssignorMember => {
      return { memberId, instanceId: null, topics: names, previous: previous.get(memberId) ?? new Map() }
    }),
    partitionCounts: new Map([...topics].filter(([topic]) => wanted.has(topic))),
  }
}

/** Each partition that somebody wants has one member, who wants it. */
function checkComplete(input: AssignorInput, target: Target): void {
  const taken = new Set<string>()
  for (const { memberId, topics } of input.members) {
    for (const [topic, partitions] of target.get(memberId)!) {
      if (!topics.has(topic) || partitions.length === 0) throw new Error(`${memberId} did not ask for ${topic}`)
      for (const [i, partition] of partitions.entries()) {
        if (i > 0 && partitions[i - 1]! >= partition) throw new Error(`${memberId}'s of ${topic} are in no order`)
        if (partition >= input.partitionCounts.get(topic)! || taken.has(`${topic}-${partition}`))
          throw new Error(`${topic}-${partition} twice`)
        taken.add(`${topic}-${partition}`)
      }
    }
  }
  const total = [...input.partitionCounts.values()].reduce((sum, count) => sum + count, 0)
  if (taken.size !== total) throw new Error(`${total - taken.size} partitions have nobody`)
}

const loadOf = (target: Target, memberId: string): number =>
  [...target.get(memberId)!.values()].reduce((sum, { length }) => sum + length, 0)

/** Nobody has two more than another to whom partitions could be passed on, from member to member. */
function checkBalance({ members }: AssignorInput, target: Target): void {
  for (const source of members) {
    const reached = new Set([source])
    for (const from of reached) {
      const topics = target.get(from.memberId)!
      for (const to of members) if ([...topics.keys()].some((topic) => to.topics.has(topic))) reached.add(to)
    }
    for (const { memberId } of reached) {
      const [most, least] = [loadOf(target, source.memberId), loadOf(target, memberId)]
      if (most >= least + 2) throw new Error(`${source.memberId} has ${most}, ${memberId} could have one of its own, and has ${least}`)
    }
  }
}

/** What members had before, may have still, and keep. */
function keptOf({ members }: AssignorInput, target: Target): number {
  let kept = 0
  for (const { memberId, previous } of members) {
    for (const [topic, partitions] of previous) {
      const now = new Set(target.get(memberId)!.get(topic))
      kept += partitions.filter((partition) => now.has(partition)).length
    }
  }
  return kept
}

/** Where all want the same: each keeps as much as its share allows, and the larger shares are theirs who have more. */
function mostToKeep({ members, partitionCounts }: AssignorInput): number {
  const total = [...partitionCounts.values()].reduce((sum, count) => sum + count, 0)
  const had = members.map(({ previous, topics }) => {
    return [...previous].reduce((sum, [topic, partitions]) => sum + (topics.has(topic) ? partitions.length : 0), 0)
  })
  const least = Math.floor(total / members.length)
  const withOneMore = Math.min(total % members.length, had.filter((count) => count > least).length)
  return had.reduce((sum, count) => sum + Math.min(count, least), withOneMore)
}

/** The most that can be kept among all assignments that are as even. Tries them all. */
function mostByTrial(input: AssignorInput): number {
  const partitions = [...input.partitionCounts].flatMap(([topic, count]) => Array.from({ length: count }, (_, p) => [topic, p] as const))
  const wanting = partitions.map(([topic]) => [...input.members.keys()].filter((i) => input.members[i]!.topics.has(topic)))
  const loads = input.members.map(() => 0)
  let best = { unevenness: Number.POSITIVE_INFINITY, kept: 0 }
  const place = (at: number, kept: number): void => {
    if (at === partitions.length) {
      const unevenness = loads.reduce((sum, load) => sum + load * load, 0)
      if (unevenness < best.unevenness || (unevenness === best.unevenness && kept > best.kept)) best = { unevenness, kept }
      return
    }
    const [topic, partition] = partitions[at]!
    for (const i of wanting[at]!) {
      loads[i]!++
      place(at + 1, kept + (input.members[i]!.previous.get(topic)?.includes(partition) === true ? 1 : 0))
      loads[i]!--
    }
  }
  place(0, 0)
  return best.kept
}

function eachCase(kind: string, run: (random: Random, isAlike: boolean) => void, isAlikeAt: (i: number) => boolean, cases = CASES): void {
  const random = seededRandom(SEED)
  for (let i = 0; i < cases; i++) {
    try {
      run(random, isAlikeAt(i))
    } catch (error) {
      throw new Error(`${kind}, seed ${SEED}, case ${i}: ${(error as Error).message}`, { cause: error })
    }
  }
}

describe('uniform', () => {
  test(`${CASES} cases: all is given to who wants it, evenly, and as much stays as can, seed ${SEED}`, () => {
    let tried = 0
    let moved = 0
    const run = (random: Random, isAlike: boolean): void => {
      const before = randomWorld(random, isAlike)
      const first = inputOf(before, new Map())
      const previous = uniformAssignor(first)
      checkComplete(first, previous)
      checkBalance(first, previous)
      if (!isDeepEqual(uniformAssignor(inputOf(before, previous)), previous)) throw new Error('nothing changed, and something moved')
      const input = inputOf(changed(before, random, isAlike), previous)
      const target = uniformAssignor(input)
      checkComplete(input, target)
      checkBalance(input, target)
      const kept = keptOf(input, target)
      const total = [...input.partitionCounts.values()].reduce((sum, count) => sum + count, 0)
      if (kept < total) moved++
      if (isAlike && kept !== mostToKeep(input)) throw new Error(`${kept} stay, and ${mostToKeep(input)} could`)
      if (isAlike || total > 6 || input.members.length > 4) return
      tried++
      if (kept !== mostByTrial(input)) throw new Error(`${kept} stay, and ${mostByTrial(input)} could`)
    }
    eachCase('uniform', run, (i) => i % 2 === 0)
    expect(tried).toBeGreaterThan(CASES / 20)
    expect(moved).toBeGreaterThan(CASES / 4)
  })

  test('members come one after the other, and each partition moves to the one who comes', () => {
    const topics = new Map([['a', 12]])
    let target: Target = new Map()
    for (let count = 1; count <= 4; count++) {
      const members = new Map(Array.from({ length: count }, (_, i) => [`m${i}`, new Set(['a'])]))
      const input = inputOf({ members, topics }, target)
      target = uniformAssignor(input)
      expect(keptOf(input, target)).toBe(count === 1 ? 0 : 12 - 12 / count)
    }
    expect([...target.values()].map((mine) => mine.get('a')!.length)).toEqual([3, 3, 3, 3])
  })

  test('the order in which members are told does not matter', () => {
    eachCase(
      'order',
      (random, isAlike) => {
        const input = inputOf(randomWorld(random, isAlike), new Map())
        const turned = { ...input, members: [...input.members].reverse() }
        if (!isDeepEqual(uniformAssignor(turned), uniformAssignor(input))) throw new Error('uniform differs')
        if (!isDeepEqual(rangeAssignor(turned), rangeAssignor(input))) throw new Error('range differs')
      },
      (i) => i % 2 === 0,
      1000,
    )
  })
})

describe('range', () => {
  test(`${CASES} cases: topics that are alike lie together, in even shares, and stay, seed ${SEED}`, () => {
    const run = (random: Random, isAlike: boolean): void => {
      const before = randomWorld(random, isAlike)
      const first = inputOf(before, new Map())
      const previous = rangeAssignor(first)
      checkComplete(first, previous)
      checkRange(first, previous)
      checkRanges(first, previous)
      if (!isDeepEqual(rangeAssignor(inputOf(before, previous)), previous)) throw new Error('nothing changed, and something moved')
      const input = inputOf(changed(before, random, isAlike), previous)
      const target = rangeAssignor(input)
      checkComplete(input, target)
      checkRange(input, target)
      const joined = new Map([...before.members, ['new', new Set(before.topics.keys())]])
      const more = inputOf({ members: joined, topics: before.topics }, previous)
      checkNobodyElseGains(more, rangeAssignor(more), 'new')
    }
    eachCase('range', run, (i) => i % 2 === 0)
  })
})

function checkRange({ members, partitionCounts }: AssignorInput, target: Target): void {
  const alike = new Map<string, string>()
  for (const [topic, count] of partitionCounts) {
    const wanting = members.filter(({ topics }) => topics.has(topic)).map(({ memberId }) => memberId)
    const shares = wanting.map((memberId) => target.get(memberId)!.get(topic)?.length ?? 0)
    if (Math.max(...shares) - Math.min(...shares) > 1) throw new Error(`${topic} is shared as ${shares.join(' ')}`)
    const key = `${count}:${wanting.join()}`
    const division = wanting.map((memberId) => (target.get(memberId)!.get(topic) ?? []).join()).join(' ')
    if ((alike.get(key) ?? division) !== division) throw new Error(`${topic} is divided as ${division}, one like it as ${alike.get(key)}`)
    alike.set(key, division)
  }
}

/** At first each has a range. */
function checkRanges({ members }: AssignorInput, target: Target): void {
  for (const { memberId } of members) {
    for (const [topic, partitions] of target.get(memberId)!) {
      if (partitions.at(-1)! - partitions[0]! !== partitions.length - 1) throw new Error(`${memberId}'s of ${topic} are no range`)
    }
  }
}

function checkNobodyElseGains({ members }: AssignorInput, target: Target, joined: string): void {
  for (const { memberId, previous } of members) {
    if (memberId === joined) continue
    for (const [topic, partitions] of target.get(memberId)!) {
      const had = new Set(previous.get(topic))
      if (!partitions.every((partition) => had.has(partition)))
        throw new Error(`${memberId} got one of ${topic}, though only ${joined} came`)
    }
  }
}

function isDeepEqual(a: Target, b: Target): boolean {
  const text = (target: Target): string =>
    JSON.stringify([...target].map(([memberId, mine]) => [memberId, [...mine].sort(([x], [y]) => (x < y ? -1 : 1))]).sort())
  return text(a) === text(b)
}
