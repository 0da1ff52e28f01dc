// The log of a coordinator's partition is read from its first record, in few pieces.

import { expect, test } from 'vitest'
import { loadCoordinatorLog } from '../../src/broker/coordinator-loader.ts'
import { systemClock } from '../../src/clock.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { nodeSegmentFiles } from '../../src/storage/segment-files.ts'
import { LogFixture } from '../log/log-fixture.ts'
import { patternBatch, seenBatches } from '../log/pattern-batches.ts'

test('thousands of small batches are given in order, with some turns between them', async () => {
  const fixture = new LogFixture()
  const log = fixture.log(0)
  const sizeInBytes = 150
  for (let number = 0; number < 5_000; number++) log.append(patternBatch({ number, records: 1, sizeInBytes }), 0, sizeInBytes)
  log.advance()
  const numbers: number[] = []
  let turns = 0
  await loadCoordinatorLog({
    name: 'log 0',
    memory: fixture.memory,
    control: new ControlBlock(fixture.memory, 0),
    endOffset: 5_000,
    files: nodeSegmentFiles,
    directory: () => Promise.resolve(undefined),
    clock: systemClock,
    replay: (bytes, length) => void numbers.push(...seenBatches(bytes, length).map(({ number }) => number)),
    isOver: () => false,
    turn: async () => {
      turns++
    },
  })
  expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, number) => number))
  // A turn costs a millisecond: who leads the group anew answers nobody meanwhile.
  expect(turns).toBeGreaterThan(5)
  expect(turns).toBeLessThan(30)
})
