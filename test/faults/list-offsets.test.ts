// Look-ups by time whose leader dies before it answers: the next leader is asked, and says the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { UNLIMITED } from './fault-rounds.ts'
import { FaultyMillrace } from './faulty-millrace.ts'
import { bytesTopic } from './sent-ledger.ts'

const PARTITIONS = 3
const ROUNDS = 3

describe.each([{ brokers: 3 }, { brokers: 1 }])('with $brokers broker(s)', ({ brokers }) => {
  test('a look-up that was asked is answered by the leader after the one that died', async () => {
    const faulty = await FaultyMillrace.open({ brokers, restarts: UNLIMITED })
    const { millrace, faults } = faulty
    const topic = await bytesTopic(millrace, 't', { partitions: PARTITIONS })
    const producer = millrace.producer()
    for (let i = 0; i < 50; i++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await producer.send(topic, { value: new Uint8Array(20), partition, timestamp: i * 100 })
      }
    }
    const consumer = millrace.consumer()
    for (let round = 0; round < ROUNDS; round++) {
      const partition = round % PARTITIONS
      const { leader, leaderEpoch } = (await millrace.admin.describeTopic('t')).partitions[partition]!
      const seen = faults.bites(leader)
      faults.arm(leader, 'lane.reader.taken', 'park')
      // It stands still on this one, and so cannot answer what it is asked now.
      const lost = producer.send(topic, { value: new Uint8Array(20), partition, timestamp: 0 }).catch(() => undefined)
      await faults.bitten(leader, seen)
      let answered = false
      const queries = [0, 1, 2_050, 4_900, 4_901].map((timestamp) => ({ topic, partition, timestamp }))
      const found = consumer.offsetsForTimes(queries).finally(() => (answered = true))
      for (let i = 0; i < 20; i++) await nextTurn()
      expect(answered).toBe(false)
      await faulty.kill(leader)
      expect((await found).map((each) => each && [each.offset, each.timestamp])).toEqual([[0, 0], [1, 100], [21, 2_100], [49, 4_900], null])
      expect((await millrace.admin.describeTopic('t')).partitions[partition]!.leaderEpoch).toBeGreaterThan(leaderEpoch)
      await lost
    }
    expect(faulty.count('brokerDied')).toBe(ROUNDS)
    await faulty.close()
  })

  test('an abort ends one whose leader does not answer', async () => {
    const faulty = await FaultyMillrace.open({ brokers })
    const { millrace, faults } = faulty
    const topic = await bytesTopic(millrace, 't')
    const { leader } = (await millrace.admin.describeTopic('t')).partitions[0]!
    const seen = faults.bites(leader)
    faults.arm(leader, 'lane.reader.taken', 'park')
    const lost = millrace
      .producer()
      .send(topic, { value: new Uint8Array(20) })
      .catch(() => undefined)
    await faults.bitten(leader, seen)
    const abort = new AbortController()
    const found = millrace.consumer().offsetsForTimes([{ topic, partition: 0, timestamp: 0 }], { signal: abort.signal })
    abort.abort()
    await expect(found).rejects.toMatchObject({ code: 'ABORTED' })
    await faulty.kill(leader)
    await lost
    await faulty.close()
  })
})
