import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DURABILITY_CACHE } from '../../src/log/log-memory-layout.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import {
  ProducerStates,
  SEQUENCE_DUPLICATE,
  SEQUENCE_FENCED,
  SEQUENCE_NEXT,
  SEQUENCE_OUT_OF_ORDER,
  SEQUENCE_UNKNOWN_PRODUCER,
} from '../../src/partition/producer-state.ts'
import { RecordBatchBuilder } from '../../src/record/record-batch-builder.ts'
import { SEQUENCE_MAX, sequenceAfter } from '../../src/record/sequence.ts'
import { LogFixture, MIB } from '../log/log-fixture.ts'

const SEED = 20_261_125
const ID = 7

/** Appends a batch of so many records, if it is the next one. */
function append(states: ProducerStates, epoch: number, sequence: number, records: number, offset: number, id = ID, isWhole = true): number {
  const found = states.check(id, epoch, sequence, records - 1, isWhole)
  if (found === SEQUENCE_NEXT) states.appended(id, epoch, sequenceAfter(sequence, records - 1), offset, records - 1, -1, 0)
  return found
}

describe('the next batch', () => {
  test('of an unknown producer is any (KIP-360)', () => {
    for (const sequence of [0, 5, SEQUENCE_MAX]) expect(append(new ProducerStates(), 3, sequence, 2, 100)).toBe(SEQUENCE_NEXT)
  })

  test('of an unknown producer is the only one until it is in the log, should it be refused', () => {
    const states = new ProducerStates()
    expect(states.check(ID, 0, 5, 2, true)).toBe(SEQUENCE_NEXT)
    expect(states.check(ID, 0, 8, 0, true)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(states.check(ID, 0, 4, 0, true)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(append(states, 0, 5, 3, 0)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, 8, 1, 3)).toBe(SEQUENCE_NEXT)
  })

  test('of a producer of which retention may have taken all is one with sequence 0, or it might be there twice', () => {
    const states = new ProducerStates()
    expect(append(states, 0, 5, 3, 100, ID, false)).toBe(SEQUENCE_UNKNOWN_PRODUCER)
    // Nor does one that was sent behind it pass.
    expect(append(states, 0, 8, 1, 100, ID, false)).toBe(SEQUENCE_UNKNOWN_PRODUCER)
    expect(append(states, 1, 0, 3, 100, ID, false)).toBe(SEQUENCE_NEXT)
    expect(append(states, 1, 3, 1, 103, ID, false)).toBe(SEQUENCE_NEXT)
  })

  test('follows the last, also over 2^31 - 1', () => {
    const states = new ProducerStates()
    append(states, 0, SEQUENCE_MAX - 2, 2, 0)
    // Its records have the numbers 2^31 - 1, 0 and 1.
    expect(append(states, 0, SEQUENCE_MAX, 3, 2)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, 2, 1, 5)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, SEQUENCE_MAX, 3, 99)).toBe(2)
    expect(append(states, 0, SEQUENCE_MAX - 2, 2, 99)).toBe(0)
  })

  test('after a gap is out of order, until the gap is filled', () => {
    const states = new ProducerStates()
    append(states, 0, 0, 5, 0)
    expect(append(states, 0, 6, 1, 5)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(append(states, 0, 5, 1, 5)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, 6, 1, 6)).toBe(SEQUENCE_NEXT)
  })

  test('of a later epoch starts at 0, and fences the epoch before', () => {
    const states = new ProducerStates()
    append(states, 4, 0, 5, 0)
    expect(append(states, 5, 5, 1, 5)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(append(states, 5, 0, 1, 5)).toBe(SEQUENCE_NEXT)
    expect(append(states, 4, 5, 1, 6)).toBe(SEQUENCE_FENCED)
    expect(append(states, 4, 0, 5, 6)).toBe(SEQUENCE_FENCED)
    expect(append(states, 5, 1, 1, 6)).toBe(SEQUENCE_NEXT)
    // What the epoch before wrote under the same number is another batch.
    expect(append(states, 5, 0, 5, 7)).toBe(SEQUENCE_OUT_OF_ORDER)
  })

  test('each producer has its own', () => {
    const states = new ProducerStates()
    for (let round = 0; round < 10; round++) for (const id of [1, 2, 3]) expect(append(states, 0, round, 1, round, id)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, 9, 1, 0, 2)).toBe(9)
    expect(states.size).toBe(3)
  })
})

describe('a duplicate', () => {
  test('has the offset of the first, up to the largest number that may be in flight', () => {
    const states = new ProducerStates()
    const records = 3
    for (let i = 0; i < 2_000; i++) {
      states.appended(ID, 0, sequenceAfter(i * records, records - 1), i * records, records - 1, -1, 1_024)
    }
    for (let i = 2_000 - 1_024; i < 2_000; i++) expect(states.check(ID, 0, i * records, records - 1, true)).toBe(i * records)
    expect(states.check(ID, 0, 0, records - 1, true)).toBe(SEQUENCE_OUT_OF_ORDER)
  })

  test('that reaches beyond the last is none', () => {
    const states = new ProducerStates()
    append(states, 0, 0, 5, 0)
    expect(append(states, 0, 3, 5, 5)).toBe(SEQUENCE_OUT_OF_ORDER)
  })
})

describe('what is forgotten', () => {
  test('who wrote nothing for so long, and nobody else', () => {
    const states = new ProducerStates()
    append(states, 0, 0, 1, 0, 1)
    append(states, 0, 0, 1, 1, 2)
    expect(states.expire(1_000, 500)).toBe(0)
    append(states, 0, 1, 1, 2, 1)
    expect(states.expire(1_499, 500)).toBe(0)
    expect(states.expire(1_500, 500)).toBe(1)
    expect(append(states, 0, 77, 1, 3, 2)).toBe(SEQUENCE_NEXT)
    expect(append(states, 0, 77, 1, 4, 1)).toBe(SEQUENCE_OUT_OF_ORDER)
  })

  test('who wrote longest ago, when there are too many', () => {
    const states = new ProducerStates(3)
    for (let id = 0; id < 3; id++) append(states, 0, 0, 1, id, id)
    append(states, 0, 1, 1, 3, 0)
    append(states, 0, 0, 1, 4, 99)
    expect(states.size).toBe(3)
    expect(append(states, 0, 0, 1, 9, 0)).toBe(0)
    expect(append(states, 0, 5, 1, 9, 2)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(append(states, 0, 5, 1, 9, 1)).toBe(SEQUENCE_NEXT)
  })
})

/** Writes the batch to the log; its base offset. */
function write(log: MemoryLog, producerId: number, producerEpoch: number, baseSequence: number, records: number): number {
  const builder = new RecordBatchBuilder(61 + records * 32)
  for (let i = 0; i < records; i++) builder.append(0, null, 'x', null)
  const size = builder.seal({ withCrc: false, producerId, producerEpoch, baseSequence })
  return log.append(builder.bytes, 0, size)
}

describe('rebuilt from the log', () => {
  test('says of every batch what the state that was kept says', () => {
    const batch = fc.record({
      producer: fc.nat(3),
      records: fc.integer({ min: 1, max: 5 }),
      /** -2: a duplicate, -1: out of order, 1: the next epoch. */
      kind: fc.constantFrom(0, 0, 0, 0, 0, 0, -2, -1, 1),
    })
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 120 }), fc.integer({ min: 0, max: SEQUENCE_MAX }), (batches, startSequence) => {
        const fixture = new LogFixture()
        const log = fixture.log(1)
        const live = new ProducerStates()
        const sent: { id: number; epoch: number; sequence: number; records: number }[] = []
        const next = Array.from({ length: 4 }, () => ({ epoch: 0, sequence: startSequence }))
        for (const { producer, records, kind } of batches) {
          const at = next[producer]!
          if (kind === 1) Object.assign(at, { epoch: at.epoch + 1, sequence: 0 })
          const sequence = kind >= 0 ? at.sequence : sequenceAfter(at.sequence, kind === -1 ? 3 : SEQUENCE_MAX - 3)
          sent.push({ id: producer, epoch: at.epoch, sequence, records })
          if (live.check(producer, at.epoch, sequence, records - 1, true) !== SEQUENCE_NEXT) continue
          const offset = write(log, producer, at.epoch, sequence, records)
          at.sequence = sequenceAfter(sequence, records)
          live.appended(producer, at.epoch, sequenceAfter(sequence, records - 1), offset, records - 1, -1, 1_024)
          // Batches without a producer id, and those of others, change nothing.
          write(log, -1, -1, -1, 1)
        }
        log.advance()
        const rebuilt = ProducerStates.of(fixture.brokers[0]!.lead(1, 2))
        expect(rebuilt.size).toBe(live.size)
        for (const { id, epoch, sequence, records } of sent) {
          for (const far of [0, 1, 7]) {
            const asked = [id, epoch, sequenceAfter(sequence, far), records - 1, true] as const
            expect(rebuilt.check(...asked)).toBe(live.check(...asked))
          }
        }
      }),
      { seed: SEED, numRuns: 60 },
    )
  })

  test('without what was not published, and what retention took', () => {
    const fixture = new LogFixture()
    const log = fixture.log(1)
    for (let i = 0; i < 3_000; i++) write(log, ID, 0, i, 1)
    log.advance()
    log.trimToBytes(20_000)
    write(log, ID, 0, 3_000, 1)
    const states = ProducerStates.of(fixture.brokers[0]!.lead(1, 2))
    expect(states.check(ID, 0, 3_000, 0, false)).toBe(SEQUENCE_NEXT)
    expect(states.check(ID, 0, 2_999, 0, false)).toBe(2_999)
    expect(states.check(ID, 0, 0, 0, false)).toBe(SEQUENCE_DUPLICATE)
    // What reaches into those that are remembered was never written so.
    expect(states.check(ID, 0, 2_990, 500, false)).toBe(SEQUENCE_OUT_OF_ORDER)
  })

  test('of a log with files, whose oldest batches left memory: each batch in memory is told from the others, of those before only the last', () => {
    const fixture = new LogFixture()
    const control = fixture.partition(1)
    control.setDurability(DURABILITY_CACHE)
    const log = fixture.brokers[0]!.lead(1)
    const gone = 8
    write(log, gone, 0, 0, 2)
    const written = 3_000
    for (let i = 0; i < written; i++) write(log, ID, 0, i, 1)
    log.advance()
    control.publishWrittenEnd(log.endOffset)
    log.advance()
    while (control.memoryStartOffset < written / 2) log.trimOldest()
    expect([log.startOffset, control.memoryStartOffset < written]).toEqual([0, true])
    // Neither published to be written, nor written.
    write(log, ID, 0, written, 1)
    log.publishEnds()
    const known = {
      endOffset: written + 2,
      producers: [
        { producerId: gone, producerEpoch: 0, lastSequence: 1, lastOffset: 1, offsetDelta: 1 },
        { producerId: ID, producerEpoch: 0, lastSequence: written - 1, lastOffset: written + 1, offsetDelta: 0 },
      ],
    }
    const states = ProducerStates.of(fixture.brokers[0]!.lead(1, 2), known)
    const check = (id: number, sequence: number, lastDelta = 0): number => states.check(id, 0, sequence, lastDelta, true)
    expect(check(ID, written + 1)).toBe(SEQUENCE_NEXT)
    for (const sequence of [written, written - 1, written - 2, written - 500]) expect(check(ID, sequence)).toBe(sequence + 2)
    expect(check(ID, 5)).toBe(SEQUENCE_DUPLICATE)
    expect(check(ID, written + 2)).toBe(SEQUENCE_OUT_OF_ORDER)
    expect(check(gone, 0, 1)).toBe(0)
    expect(check(gone, 2)).toBe(SEQUENCE_NEXT)
    // Memory holds nothing at all.
    const empty = ProducerStates.of({ walkBatches: () => undefined } as never, known)
    expect(empty.check(ID, 0, written - 1, 0, true)).toBe(written + 1)
    expect(empty.check(gone, 0, 2, 0, true)).toBe(SEQUENCE_NEXT)
  })

  test('costs little: 256 MiB in batches of 64 KiB are a few thousand headers', () => {
    const fixture = new LogFixture({ logMemoryBytes: 272 * MIB })
    const log = fixture.log(1)
    const builder = new RecordBatchBuilder(65_536)
    while (builder.append(0, null, new Uint8Array(1_000), null));
    let batches = 0
    for (let sequence = 0; log.sizeInBytes < 256 * MIB - 65_536; sequence += builder.recordCount) {
      const size = builder.seal({ withCrc: false, producerId: batches % 10, producerEpoch: 0, baseSequence: sequence })
      if (log.append(builder.bytes, 0, size) < 0) fixture.turns(4)
      else batches++
    }
    let headers = 0
    const counted = {
      walkBatches: (visit: (bytes: Uint8Array, at: number) => void) =>
        log.walkBatches((bytes, at) => {
          headers++
          visit(bytes, at)
        }),
    }
    expect(ProducerStates.of(counted as never).size).toBe(10)
    expect(headers).toBe(batches)
    expect(headers).toBeLessThan(4_200)
  })
})
