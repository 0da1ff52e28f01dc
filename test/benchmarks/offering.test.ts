import { describe, expect, test } from 'vitest'
import { expectedSum, offerOf, serdeOf } from '../../benchmarks/road/offering.ts'
import type { Offering } from '../../benchmarks/road/offering.ts'
import { EVENT_BYTES, EVENT_FORMATS } from '../../benchmarks/serde/event-format.ts'
import { eventOf, eventSerde } from '../../benchmarks/serde/events.ts'
import { WALKS } from '../../benchmarks/road/reading.ts'
import type { Reading } from '../../benchmarks/road/reading.ts'
import { patternValue } from '../../benchmarks/harness/record-pattern.ts'
import { openMillrace } from '../../src/index.ts'

const WAYS: readonly (readonly [Offering, Reading])[] = [
  ['plain', 'cursor'],
  ['plain', 'record'],
  ['view', 'view'],
  ['keyed', 'keyed'],
  ['round-robin', 'cursor'],
  ['msgpack', 'event'],
  ['json', 'event'],
]
const PARTITIONS = 12
const RECORDS = 2_345

describe('what is offered is what is summed', () => {
  test.each(WAYS)('%s, read by %s', async (offering, reading) => {
    const millrace = await openMillrace({ logMemoryBytes: 16 * 2 ** 20 })
    try {
      const topic = await millrace.topic('offered', { partitions: PARTITIONS, value: serdeOf(offering) })
      const producer = millrace.producer()
      const offer = offerOf(offering, producer, topic, patternValue(20), PARTITIONS)
      for (let next = 0; next < RECORDS; next = offer(next, RECORDS)) await producer.drained()
      await producer.flush()
      const tally = { records: 0, checksum: 0 }
      const partitions = new Set<number>()
      for await (const batch of millrace.consumer().batches(topic, { until: 'end' })) {
        partitions.add(batch.partition)
        WALKS[reading](batch, tally)
      }
      expect(tally).toEqual({ records: RECORDS, checksum: expectedSum(offering, RECORDS) })
      if (offering === 'keyed' || offering === 'round-robin') expect(partitions.size).toBe(PARTITIONS)
    } finally {
      await millrace.close()
    }
  })

  test.each(EVENT_FORMATS)('every object takes as many bytes in %s, and comes back', async (format) => {
    const serde = eventSerde(format)
    await serde.prepare?.()
    for (const i of [0, 1, 999, 400_000]) {
      const encoded = Buffer.from(serde.serialize(eventOf(i)) as string)
      expect(encoded).toHaveLength(EVENT_BYTES[format])
      expect(serde.deserialize(new Uint8Array(encoded))).toEqual(eventOf(i))
    }
  })

  test('a lost record, key or header changes the sum', () => {
    for (const [offering] of WAYS) expect(expectedSum(offering, RECORDS)).not.toBe(expectedSum(offering, RECORDS - 1))
    expect(expectedSum('keyed', 20) - expectedSum('plain', 20)).toBe(20 * 48 + 2 * 45 + 2)
  })
})
