import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { Input } from '../../examples/user-activity/input.ts'
import { parseOptions, SAMPLE_LOG } from '../../examples/user-activity/options.ts'
import { isProven, summaryLines } from '../../examples/user-activity/summary.ts'
import type { TableState } from '../../examples/user-activity/table.ts'
import type { JobCommands } from '../../examples/user-activity/user-activity-job.ts'
import { runJob } from '../../examples/user-activity/user-activity-job.ts'

it('a consumer thread that is terminated is taken over from: every line is counted once', { timeout: 60_000 }, async () => {
  const bytes = gunzipSync(readFileSync(SAMPLE_LOG))
  const commands = new EventEmitter<JobCommands>()
  const isNoted = Promise.withResolvers<void>()
  const shown: TableState[] = []
  const input: Input = {
    name: 'in two halves',
    async *read() {
      yield bytes.subarray(0, bytes.length / 2)
      commands.emit('killConsumer')
      await isNoted.promise
      commands.emit('killConsumer') // nobody would be left
      yield bytes.subarray(bytes.length / 2)
    },
  }
  const show = (state: TableState): void => {
    shown.push(state)
    if (state.notes.length > 0) isNoted.resolve()
  }
  const screen = { show, close: show }
  const result = await runJob({ ...parseOptions([]), inputs: [input], screen, refreshMs: 20, endOfInput: new AbortController(), commands })
  const summary = summaryLines(result).join('\n')
  expect(summary).toContain('lines       10,000 = 9,999 page views + 1 malformed')
  expect(summary).toMatch(/^consumer \d was terminated; its partitions were taken over within [\d,]+ ms: \d by consumer \d at [\d,]+/m)
  expect(summary).toMatch(/^consumer \d is the last one, and stays$/m)
  expect(isProven(result)).toBe(true)
  const [, victim] = /^consumer (\d) was/m.exec(summary)!
  expect(shown.at(-1)!.rows.map(({ consumer }) => consumer)).toEqual(new Array(5).fill(`consumer ${1 - Number(victim)}`))
})
