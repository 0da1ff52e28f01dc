// Runs examples one after another in this process, which is started for it:
//
//   node test/docs/run-examples.ts FOLDER FILE …
//
// One line of JSON an example says how it went. `millrace` is the sources.

import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import type { ExampleResult } from './example-result.ts'
import { closeOpened } from './tracked-millrace.ts'

const EXAMPLE_MS_MAX = 20_000

const ENTRIES = new Map([
  ['millrace', new URL('./tracked-millrace.ts', import.meta.url).href],
  ['millrace/rxjs', new URL('../../src/rxjs.ts', import.meta.url).href],
  ['millrace/testing', new URL('../../src/testing.ts', import.meta.url).href],
  ['millrace/streams', new URL('../../src/streams.ts', import.meta.url).href],
])

registerHooks({
  resolve: (specifier, context, next) => next(ENTRIES.get(specifier) ?? specifier, context),
})

const [folder, ...files] = process.argv.slice(2)
let printed: string[] = []
console.log = (...given) => void printed.push(format(...given))

/** A rejection that nobody awaits belongs to the example that runs. */
let strayed: unknown
process.on('unhandledRejection', (reason) => (strayed ??= reason))
process.on('uncaughtException', (error) => (strayed ??= error))

for (const file of files) {
  printed = []
  strayed = undefined
  let error: string | null = null
  try {
    await withinTime(import(pathToFileURL(`${folder}/${file}`).href))
    await closeOpened()
    if (strayed !== undefined) throw strayed
  } catch (cause) {
    error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    await closeOpened()
  }
  const result: ExampleResult = { file, error, printed }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
process.exit(0)

async function withinTime(running: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`has not ended after ${EXAMPLE_MS_MAX} ms`)), EXAMPLE_MS_MAX)
  })
  try {
    await Promise.race([running, over])
  } finally {
    clearTimeout(timer)
  }
}
