// Tests run in child processes, not in threads: they start worker threads of their
// own, and some end them in the middle of their work. Worker files run outside vite.
//
// Three projects, one after the other: files that only compute; those that start threads or processes, which
// wait for each other half of the time, two at a time; and those that look for races or for what comes of faults
// under load, or judge how long something takes or how much memory it needs: they have the machine for themselves.

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/setup/longest-first.ts'

/** Folders whose tests compute and nothing more, without those of their files that do more. */
const folders = '{architecture,config,contract,coordinator,disk,io,log,metadata,partition,protocol,record,storage}'
const COMPUTING = `test/${folders}/**/!(*-race|*-kill|*-death|*-processes|*-thread|*-pool).test.ts`

const ALONE = [
  'test/**/*-{race,kill,death}.test.ts',
  'test/actor/control-channel.test.ts',
  'test/client/event-loop.test.ts',
  'test/faults/*.test.ts',
  'test/rx/from-topic.test.ts',
  'test/torture/{history-size,overload,torture}.test.ts',
  'test/torture/groups/*.test.ts',
]

const workers = (share: number): number => Math.max(2, Math.floor((availableParallelism() - 1) * share))

export default defineConfig({
  test: {
    pool: 'forks',
    environment: 'node',
    globalSetup: ['test/setup/runtime.ts'],
    setupFiles: ['test/setup/leaked-threads.ts'],
    testTimeout: 120_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'computing', include: [COMPUTING], maxWorkers: workers(1), sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: [COMPUTING, ...ALONE],
          maxWorkers: workers(0.25),
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
})
