// A consumer dies, and the others of its group go on where it was. The page views of an access
// log go into user_activity, and a group of three threads reads them. In the middle one of the
// threads is terminated; then another one joins; then three static members are started anew, one
// after the other. After each the table shows who reads which partition now, and at the end the
// tally shows that no line was missed.
//
//   node examples/consumer-failover/main.ts
//
//   feed.ts ─ offer ─▶ user_activity, 5 partitions ─ group "dashboard" ─▶ member-thread.ts, three of them
//   (main thread)      on 3 broker threads                                     │           │
//                                                        read-tally.ts (shared) ◀           ▶ members.ts (main thread)
//
// Exit code 1: something that is claimed here does not hold, or it took longer than a minute.

import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { Changes } from '../user-activity/changes.ts'
import { BROKERS, PARTITIONS } from '../user-activity/cluster.ts'
import { formatCount, formatNumber } from '../user-activity/format.ts'
import { userActivity } from '../user-activity/topics.ts'
import { Feed, pageViews } from './feed.ts'
import { COMMIT_MS, GROUP_ID, nowMs } from './group.ts'
import { Members } from './members.ts'
import { ReadTally } from './read-tally.ts'
import { Report } from './report.ts'

const KILLED_AT = 1_000 // lines read
const DEADLINE_MS = 60_000
const MEMBERS = ['thread 1', 'thread 2', 'thread 3']
const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition)

const views = pageViews()
const tallyBuffer = ReadTally.allocate(views.length, PARTITIONS)
const tally = new ReadTally(tallyBuffer, PARTITIONS)
const report = new Report()
const changes = new Changes(() => {})
const deadline = setTimeout(() => changes.failed(new Error(`it took longer than ${DEADLINE_MS / 1_000} s`)), DEADLINE_MS)

const millrace = await openMillrace({ brokers: BROKERS })
const topic = await millrace.topic(userActivity)
const members = new Members(millrace.handle, tallyBuffer, changes)
const feed = new Feed(views, millrace.producer(), topic)
report.watch(() => `${formatNumber(feed.sent)} lines sent, ${formatNumber(tally.count(1))} read   ${ownersLine()}`)
try {
  for (const member of MEMBERS) members.start(member)
  await changes.until(() => members.isBalanced)
  report.line(`${formatNumber(views.length)} page views go into user_activity: ${PARTITIONS} partitions, read by a group of three threads`)
  const fed = feed.run()
  fed.catch((error: unknown) => changes.failed(error as Error))
  await oneDies()
  await oneJoins()
  await allAreStartedAnew()
  feed.hurry()
  await fed
  await prove()
} catch (error) {
  report.claim(false, error instanceof Error ? error.message : String(error))
} finally {
  report.close()
  clearTimeout(deadline)
  await members.close()
  await millrace.close()
  process.exitCode = report.holds ? 0 : 1
}

/** Nobody is asked, nothing is committed: the thread is gone, and perhaps with a batch in its hands. */
async function oneDies(): Promise<void> {
  await changes.until(() => ALL_PARTITIONS.reduce((read, partition) => read + members.position(partition), 0) >= KILLED_AT)
  const before = members.owners
  const victim = MEMBERS.find((member) => members.partitionsOf(member).length === 2)!
  const left = members.partitionsOf(victim)
  const killedMs = await members.terminate(victim)
  const ofVictim = (partition: number) => members.batches(partition).filter(({ member }) => member === victim)
  const ofOthers = (partition: number) => members.batches(partition).filter(({ member, atMs }) => member !== victim && atMs > killedMs)
  const ends = left.map((partition) => ofVictim(partition).at(-1)?.nextOffset ?? 0)
  // A later batch was asked for: all that was read twice has been by then.
  await changes.until(() => left.every((partition, at) => ofOthers(partition).some(({ firstOffset }) => firstOffset >= ends[at]!)))
  const firsts = left.map((partition) => ofOthers(partition)[0]!)
  const took = (partition: number): string[] => {
    const at = left.indexOf(partition)
    if (at < 0) return ['', '', '', '']
    const { atMs, firstOffset } = firsts[at]!
    const again = tally.offsets(partition, 2).length
    return [`${(atMs - killedMs).toFixed(1)} ms`, formatNumber(ends[at]!), formatNumber(firstOffset), formatNumber(again)]
  }
  report.section(`${victim} is terminated`)
  report.table(
    ['partition', 'before', 'after', 'taken over', 'handed out to', 'goes on at', 'read twice'],
    ALL_PARTITIONS.map((partition) => [String(partition), before[partition]!, members.owners[partition]!, ...took(partition)]),
  )
  report.claim(
    firsts.every(({ firstOffset }, at) => firstOffset <= ends[at]!),
    'whoever takes over goes on where the group has committed, and skips nothing',
  )
  report.claim(
    left.every((partition, at) => tally.offsets(partition, 2).every((offset) => offset >= firsts[at]!.firstOffset && offset < ends[at]!)),
    `what it had read since its last commit (there is one every ${COMMIT_MS} ms) is read again, and nothing else: that is at-least-once`,
  )
  report.claim(unmoved(before, left, killedMs), 'the partitions of the other two stayed where they were')
}

/** One partition goes to it: its owner takes a moment to give it up, and reads on what it keeps. */
async function oneJoins(): Promise<void> {
  const before = members.owners
  const startedMs = nowMs()
  members.start('thread 4')
  await changes.until(() => members.isBalanced && members.partitionsOf('thread 4').every((each) => firstByNew(each) !== undefined))
  const after = members.owners
  const moved = ALL_PARTITIONS.filter((partition) => after[partition] !== before[partition])
  const asked = members.told.find(({ kind, atMs }) => kind === 'revoked' && atMs >= startedMs)!
  const doneMs = Math.max(...moved.map((partition) => firstByNew(partition)!.atMs))
  const meanwhile = (partition: number): number => members.batches(partition, asked.atMs, doneMs).length

  report.section('thread 4 joins')
  report.table(
    ['partition', 'before', 'after', 'stood still', 'batches meanwhile'],
    ALL_PARTITIONS.map((partition) => {
      const from = moved.includes(partition)
        ? firstByNew(partition)!.atMs - members.batches(partition, 0, asked.atMs).at(-1)!.atMs
        : undefined
      const stood = from === undefined ? '' : `${from.toFixed(0)} ms`
      return [String(partition), before[partition]!, after[partition]!, stood, from === undefined ? formatNumber(meanwhile(partition)) : '']
    }),
  )
  const stayed = ALL_PARTITIONS.filter((partition) => !moved.includes(partition))
  report.claim(moved.length === 1 && moved.every((each) => after[each] === 'thread 4'), `only ${list(moved)} moved`)
  report.claim(unmoved(before, moved, startedMs), `${list(stayed)} stayed`)
  report.claim(
    stayed.every((partition) => meanwhile(partition) > 0),
    `and ${stayed.length === 1 ? 'was' : 'were'} read all the while, also by the thread that gave ${list(moved)} up`,
  )

  function firstByNew(partition: number) {
    return members.firstBatch('thread 4', partition, startedMs)
  }
}

/** With a `groupInstanceId` a member keeps what it has while it is away. */
async function allAreStartedAnew(): Promise<void> {
  await Promise.all([...new Set(members.owners)].map((member) => members.stop(member!)))
  const names = ['static 1', 'static 2', 'static 3']
  for (const name of names) members.start(name, name)
  await changes.until(() => members.isBalanced)
  const before = members.owners
  const rows: string[][] = []
  let disturbed = 0
  for (const name of names) {
    const its = members.partitionsOf(name)
    const stoppedMs = nowMs()
    await members.stop(name)
    members.start(name, name)
    const first = (partition: number) => members.batches(partition, stoppedMs).find(({ atMs }) => atMs > backMs())
    const backMs = (): number =>
      members.told.find(({ kind, member, atMs }) => kind === 'assigned' && member === name && atMs > stoppedMs)?.atMs ??
      Number.POSITIVE_INFINITY
    await changes.until(() => its.every((partition) => first(partition) !== undefined))
    const others = ALL_PARTITIONS.filter((partition) => !its.includes(partition))
    disturbed += members.told.filter(({ kind, member, atMs }) => kind !== 'batch' && member !== name && atMs > stoppedMs).length
    for (const partition of its) {
      const lastMs = members.batches(partition, 0, backMs()).at(-1)!.atMs
      const meanwhile = others.map((other) => members.batches(other, stoppedMs, backMs()).length)
      rows[partition] = [
        String(partition),
        before[partition]!,
        members.owners[partition]!,
        `${(first(partition)!.atMs - lastMs).toFixed(0)} ms`,
        formatNumber(meanwhile.reduce((sum, count) => sum + count, 0)),
      ]
    }
  }
  report.section('three static members are started anew, one after the other')
  report.table(['partition', 'before', 'after', 'stood still', 'batches of the others meanwhile'], rows)
  report.claim(
    ALL_PARTITIONS.every((partition) => members.owners[partition] === before[partition]),
    'nothing moved: each came back to what it had',
  )
  report.claim(disturbed === 0, 'and no other member was told of anything')
}

async function prove(): Promise<void> {
  const partitions = ALL_PARTITIONS.map((partition) => ({ topic, partition }))
  const consumer = millrace.consumer({ groupId: GROUP_ID })
  const ends = await consumer.endOffsets(partitions)
  await changes.until(() => ends.every((end, partition) => members.position(partition) === end))
  await Promise.all([...new Set(members.owners)].map((member) => members.stop(member!)))
  const committed = await consumer.committed(partitions)
  const twice = tally.count(2)
  report.section('all of it')
  report.claim(tally.count(1) === views.length, `every line was read: ${formatNumber(tally.count(1))} of ${formatNumber(views.length)}`)
  report.claim(tally.count(3) === 0, `${formatCount(twice, 'line')} twice, and none more often`)
  report.claim(
    ends.every((end, partition) => committed[partition]?.offset === end),
    'and the group has committed all of it',
  )
}

/** No owner of the other partitions has been told that they come or go. */
function unmoved(before: readonly (string | undefined)[], moved: readonly number[], sinceMs: number): boolean {
  const others = ALL_PARTITIONS.filter((partition) => !moved.includes(partition))
  const told = members.told.some(
    (each) => each.kind !== 'batch' && each.atMs >= sinceMs && each.partitions.some((partition) => others.includes(partition)),
  )
  return !told && others.every((partition) => members.owners[partition] === before[partition])
}

function list(partitions: readonly number[]): string {
  return `${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.join(', ')}`
}

function ownersLine(): string {
  return members.owners.map((owner, partition) => `${partition}: ${owner ?? '–'}`).join('  ')
}
