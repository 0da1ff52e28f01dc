// npm start: page views of a web site, through millrace. See `npm start -- --help`.
//
// This file is the edge of the program: arguments in, exit code out.
// 0: every line arrived; 1: something failed; 2: the command was not understood.

import { EventEmitter } from 'node:events'
import { isStandardInputIgnored, openInputs } from './input.ts'
import { listenForKeys } from './keys.ts'
import { HELP, parseOptions, UsageError } from './options.ts'
import { isProven, summaryLines } from './summary.ts'
import { isLiveTerminal, PLAIN_REFRESH_MS, PlainScreen, TERMINAL_REFRESH_MS, TerminalScreen } from './table.ts'
import type { JobCommands } from './user-activity-job.ts'
import { runJob } from './user-activity-job.ts'

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const inputs = await openInputs(options.files, options.repeat)
  if (isStandardInputIgnored(options.files)) process.stderr.write('user-activity: to read standard input, name it: npm start -- -\n')
  const endOfInput = new AbortController()
  process.once('SIGINT', () => {
    process.stderr.write('\nThe input ends here; what was read is finished. Ctrl-C again stops at once.\n')
    endOfInput.abort()
  })
  const live = isLiveTerminal(process.stdout)
  const screen = live ? new TerminalScreen(process.stdout) : new PlainScreen(process.stdout)
  const refreshMs = live ? TERMINAL_REFRESH_MS : PLAIN_REFRESH_MS
  const commands = new EventEmitter<JobCommands>()
  const hasKeys = live && process.stdin.isTTY && !options.files.includes('-')
  const stopKeys = hasKeys ? listenForKeys(process.stdin, (key) => key === 'k' && commands.emit('killConsumer')) : undefined
  if (hasKeys) process.stdout.write('k terminates a consumer thread: the others of its group take over\n\n')
  const result = await runJob({ ...options, inputs, screen, refreshMs, endOfInput, commands }).finally(stopKeys)
  process.stdout.write(summaryLines(result).join('\n') + '\n')
  if (result.inputFailure !== undefined) process.stderr.write(`user-activity: the input ended too early: ${result.inputFailure}\n`)
  return isProven(result) && result.inputFailure === undefined ? 0 : 1
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(1) // whoever read the output has gone: `npm start | head -3`
})

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const usage = error instanceof UsageError
  process.stderr.write(`user-activity: ${error instanceof Error ? error.message : String(error)}\n${usage ? 'See --help.\n' : ''}`)
  process.exitCode = usage ? 2 : 1
}
