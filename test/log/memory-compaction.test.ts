// Compaction in log memory keeps what every compaction keeps.

import { describeCompaction } from '../contract/compaction-contract.ts'
import { keyedBatch, readKeyed } from './keyed-batches.ts'
import { LogFixture } from './log-fixture.ts'

describeCompaction('a log in memory', (config) => {
  const fixture = new LogFixture()
  const log = fixture.configuredLog(0, config)
  const { cleaner } = fixture.brokers[0]!.manager
  let isHeld = false
  return {
    nowMs: () => fixture.clock.nowMs(),
    advance: (ms) => fixture.clock.advance(ms),
    append(records, options) {
      const bytes = keyedBatch(records, options)
      const offset = log.append(bytes, 0, bytes.length)
      if (isHeld) log.publishEnds()
      else log.advance()
      return offset
    },
    holdCommits() {
      isHeld = true
    },
    commit() {
      isHeld = false
      log.advance()
    },
    roll: () => log.roll(),
    async clean() {
      fixture.turns(2, 0.1)
      for (let i = 0; i < 10_000 && cleaner.hasWork; i++) fixture.turns(1, 0.1)
      fixture.turns(2, 0.1)
    },
    read: () => readKeyed(fixture.memory, 0),
  }
})
