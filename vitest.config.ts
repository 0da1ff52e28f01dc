// Tests run in child processes, not in threads: they start worker threads of their
// own, and some end them in the middle of their work. Worker files run outside vite.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    environment: 'node',
    globalSetup: ['test/setup/runtime.ts'],
    setupFiles: ['test/setup/leaked-threads.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
  },
})
