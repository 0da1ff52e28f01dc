// A data directory that is opened, checkpointed and closed, ended after each of its calls: what any kill
// and any power cut leaves opens again, and says nothing that is not so.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import type { TopicId } from '../../src/ids.ts'
import { seededRandom } from '../../src/random.ts'
import type { Checkpoints } from '../../src/storage/directory-checkpoints.ts'
import { openDataDirectory } from '../../src/storage/data-directory.ts'
import type { DataDirectory } from '../../src/storage/data-directory.ts'
import type { ProcessIdentity } from '../../src/storage/data-directory-lock.ts'
import { SimulatedStop } from '../disk/disk-faults.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { Processes } from './processes.ts'

const SEED = 20_261_130
const ACCESS = { topic: 'access', partition: 0, topicId: [1, 2, 3, 4] as TopicId }

/** What had returned when the process ended. */
interface Done {
  made: boolean
  recoveryPoint: number
  /** What was marked, or being marked. */
  durableEnd: number
  closing: boolean
  closed: boolean
}

const processes = new Processes()
let last: ProcessIdentity
function open(disk: SimulatedDisk, bootId: string, draw: number): DataDirectory {
  const random = seededRandom(SEED + draw)
  last = processes.start({ bootId })
  return openDataDirectory({ disk, path: '/data', brokers: 2, clock: new VirtualClock(), random, process: last })
}

function checkpointsAt(offset: number): Checkpoints {
  const one = [{ topic: 'access', partition: 0, offset }]
  return { recoveryPoints: one, logStarts: [], highWatermarks: one, cleanerOffsets: [] }
}

/** One life of the directory; what it did is in `done`. */
function live(disk: SimulatedDisk, life: number, done: Done): void {
  const directory = open(disk, 'boot-1', life)
  done.closed = done.closing = false
  directory.recovered()
  if (life === 0) directory.makePartitionDirectory(1, ACCESS)
  done.made = true
  const { durableEnds } = directory.broker(1)
  for (let i = 1; i <= 2; i++) {
    done.durableEnd = life * 100 + i
    durableEnds.mark(durableEnds.placeOf(ACCESS), done.durableEnd)
    directory.checkpoint(1, checkpointsAt(done.durableEnd))
    done.recoveryPoint = done.durableEnd
  }
  done.closing = true
  directory.closeClean([0, 1].map((nodeId) => ({ nodeId, checkpoints: checkpointsAt(life * 100 + 50), brokerEpoch: life })))
  done.closed = true
}

function look(disk: SimulatedDisk, bootId: string, done: Done, how: string): void {
  const seen = [1, 2].map((time) => {
    const directory = open(disk, bootId, 1000 + time)
    const [first, second] = directory.brokers
    const [access] = second!.partitions
    if (done.made) expect(access?.topicId, how).toEqual(ACCESS.topicId)
    const point = second!.checkpoints.of('access', 0).recoveryPoints[0]?.offset ?? 0
    expect(point, how).toBeGreaterThanOrEqual(done.recoveryPoint)
    const durableEnd = access === undefined ? 0 : second!.durableEnds.durableEnd(ACCESS)
    expect(durableEnd, how).toBeLessThanOrEqual(done.durableEnd)
    // Each checkpoint syncs the marks before it.
    expect(durableEnd, how).toBeGreaterThanOrEqual(done.recoveryPoint)
    for (const broker of [first!, second!]) {
      if (time === 2) expect(broker.isClean, how).toBe(false)
      else if (done.closed) expect(broker.isClean, how).toBe(true)
      else if (broker.isClean) expect(broker.checkpoints.of('access', 0).recoveryPoints[0]!.offset % 100, how).toBe(50)
    }
    const clean = [first!.isClean, second!.isClean]
    const left = { point, durableEnd, clusterId: directory.clusterId, rebooted: directory.brokers.map(({ hasRebooted }) => hasRebooted) }
    directory.abandon()
    return { clean, left }
  })
  if (seen[0]!.clean.includes(true)) expect(done.closing, how).toBe(true)
  // Opened twice, the same is found, but for the clean marks.
  expect(seen[1]!.left, how).toEqual(seen[0]!.left)
}

test('every kill and every power cut', { timeout: 120_000 }, () => {
  let [states, stops, clean] = [0, 0, 0]
  for (const life of [0, 1]) {
    const before = new SimulatedDisk()
    const doneBefore: Done = { made: false, recoveryPoint: 0, durableEnd: 0, closing: false, closed: false }
    if (life === 1) {
      live(before, 0, doneBefore)
      doneBefore.recoveryPoint = 2
    }
    for (let at = 1; ; at++) {
      const disk = before.killState()
      const done = { ...doneBefore }
      // A life that is begun on a closed directory ends it: until then it is as clean as it was.
      if (life === 1) done.closed = false
      disk.plan([{ kind: 'stop', at }])
      try {
        live(disk, life, done)
      } catch (error) {
        if (!(error instanceof SimulatedStop)) throw error
        processes.end(last)
        stops++
      }
      const how = `life ${life}, call ${at}`
      for (const kept of disk.cutWriteBytes > 0 ? [disk.cutWriteBytes >> 1, 0] : [0])
        look(disk.killState(kept), 'boot-1', done, `${how}, ${kept} kept`)
      // In their order: the model takes names in any order, also of one directory that was renamed twice, and gives it two.
      for (const state of disk.crashStates(SEED + at, { drawn: 2, max: 3, names: 'ordered' })) {
        states++
        look(state.disk, 'boot-2', done, `${how}, ${state.description}`)
      }
      if (done.closed) {
        clean++
        break
      }
    }
  }
  expect(stops).toBeGreaterThan(100)
  expect(states).toBeGreaterThan(300)
  expect(clean).toBe(2)
})
