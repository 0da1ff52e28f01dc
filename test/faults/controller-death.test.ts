// The active controller dies at each step of what it does: topics that were answered are
// there, on every thread, with leaders; commands in doubt end as done or not done, never
// half; and the snapshots it makes meanwhile lose nothing.

import { afterAll, describe, expect, test } from 'vitest'
import { attachMillrace } from '../../src/index.ts'
import { KILL_POINTS } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { CLUSTER_METADATA_SLOT } from '../../src/metadata/metadata-records.ts'
import { UNLIMITED, killAt, report, tally } from './fault-rounds.ts'
import type { FaultAction } from './fault-words.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { SentLedger, bytesTopic } from './sent-ledger.ts'

const SEED = 0xc0
const WAYS: readonly FaultAction[] = ['park', 'throw', 'exit']
const killedAt = new Set<KillPoint>()
/** So small that every few topics make a snapshot. */
const metadataLogMaxRecordBytesBetweenSnapshots = 3_000

afterAll(() => console.log(report('controller deaths', SEED)))

/** Every topic is known, under every name, and takes records in each partition. */
async function expectAllThere(faulty: FaultyMillrace, names: readonly string[]): Promise<void> {
  const attached = await attachMillrace(faulty.millrace.handle)
  try {
    for (const millrace of [faulty.millrace, attached]) {
      expect([...(await millrace.admin.listTopics())].sort()).toEqual([...names].sort())
    }
    const ledger = new SentLedger()
    const producer = attached.producer()
    const topic = await bytesTopic(attached, names.at(-1)!, { partitions: 3 })
    for (let i = 0; i < 6; i++) await ledger.sendUntilAcked(producer, topic, i % 3)
    await ledger.verify(attached, topic)
  } finally {
    await attached.close()
  }
}

describe.each([{ brokers: 3 }, { brokers: 1 }])('with $brokers broker(s)', ({ brokers }) => {
  test.each(KILL_POINTS.filter((point) => point.startsWith('controller.')))('at %s', async (point) => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED, metadataLogMaxRecordBytesBetweenSnapshots })
    const names: string[] = []
    for (const [round, way] of WAYS.entries()) {
      let dead = false
      const death = killAt(faulty, faulty.activeController, point, way).then(() => (dead = true))
      do {
        const { name } = await bytesTopic(faulty.millrace, `topic-${names.length}`, { partitions: 3 })
        names.push(name)
      } while (!dead && names.length < 1_000)
      await death
      killedAt.add(point)
      await expectAllThere(faulty, names)
      await faulty.happened('brokerRestarted', round + 1)
    }
    if (point.startsWith('controller.snapshot')) {
      expect(faulty.engine.controlBlock(CLUSTER_METADATA_SLOT).logStartOffset).toBeGreaterThan(0)
    }
    await faulty.close()
  })
})

test('brokers that are restarted, and threads that attach, begin with a snapshot', async () => {
  const faulty = await FaultyMillrace.open({ brokers: 3, restarts: UNLIMITED, metadataLogMaxRecordBytesBetweenSnapshots })
  const names: string[] = []
  for (let i = 0; i < 60; i++) names.push((await bytesTopic(faulty.millrace, `topic-${i}`, { partitions: 3 })).name)
  const control = faulty.engine.controlBlock(CLUSTER_METADATA_SLOT)
  expect(control.logStartOffset).toBeGreaterThan(0)
  expect(control.highWatermark - control.logStartOffset).toBeLessThan(200)
  for (const [round, brokerId] of [2, 0, 1].entries()) {
    await faulty.kill(brokerId)
    tally.kills++
    names.push((await bytesTopic(faulty.millrace, `after-${round}`, { partitions: 3 })).name)
    await faulty.happened('brokerRestarted', round + 1)
    await expectAllThere(faulty, names)
  }
  await faulty.close()
})

test('no point that the controller passes was left out', () => {
  expect(KILL_POINTS.filter((point) => point.startsWith('controller.') && !killedAt.has(point))).toEqual([])
})
