import { describeCompaction } from '../contract/compaction-contract.ts'
import { CleanedFiles } from './cleaned-partition.ts'

describeCompaction('a log in files', (config) => {
  const world = new CleanedFiles({ config })
  return {
    nowMs: () => world.clock.nowMs(),
    advance: (ms) => world.clock.advance(ms),
    append: (records, options) => world.append(records, options),
    holdCommits() {
      world.stableEndOffset = world.files.endOffset
    },
    commit() {
      world.stableEndOffset = Number.POSITIVE_INFINITY
    },
    roll: () => world.files.roll(),
    clean: () => world.clean(),
    read: () => world.read(),
  }
})
