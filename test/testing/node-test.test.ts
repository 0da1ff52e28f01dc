import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the kit runs in node:test, whose process ends by itself', async () => {
  const file = new URL('./kit-in-node-test.ts', import.meta.url).pathname
  // It takes itself for a child of another runner where vitest's own environment says so.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env, timeout: 60_000 })
  expect(stdout).toMatch(/^# pass 2$/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})
