// Tests run in child processes, not in threads: they start worker threads of their
// own, and some end them in the middle of their work. Worker files run outside vite.
//
// Two projects: files that only compute run two or more at a time; those that start threads
// or processes, or wait for time to go by, have the machine for themselves, one by one.

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Folders whose tests compute and nothing more, without those of their files that do more. */
const folders = '{architecture,config,contract,coordinator,disk,io,log,metadata,partition,protocol,record,storage}'
const COMPUTING = `test/${folders}/**/!(*-race|*-kill|*-death|*-processes|*-thread|*-pool).test.ts`

export default defineConfig({
  test: {
    pool: 'forks',
    environment: 'node',
    globalSetup: ['test/setup/runtime.ts'],
    setupFiles: ['test/setup/leaked-threads.ts'],
    testTimeout: 120_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'computing',
          include: [COMPUTING],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: [COMPUTING],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
