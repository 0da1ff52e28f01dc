import { describe, expect, test } from 'vitest'
import { forbiddenCalls, forbiddenImports, timedWaits } from './forbidden-calls.ts'
import { listed, parseSource, readSources } from './source-file.ts'

const sources = readSources('src')

describe('src', () => {
  test('clocks, chance, timers, threads and blocking waits stay in the files that may use them', () => {
    expect(listed(sources.flatMap(forbiddenCalls))).toEqual([])
  })

  test('built-in modules and packages are imported only where the tables say', () => {
    expect(listed(sources.flatMap(forbiddenImports))).toEqual([])
  })
})

test.each(['src', 'test', 'benchmarks', 'examples'])('%s has no timed Atomics.waitAsync', (folder) => {
  expect(listed(readSources(folder).flatMap(timedWaits))).toEqual([])
})

describe('the rules bite', () => {
  const on = (path: string, text: string): string[] => listed(forbiddenCalls(parseSource(path, text)))

  test.each([
    'Date.now()',
    'const clock = { nowMs: Date.now }',
    'globalThis.Date.now()',
    "Date['now']()",
    'Date?.now()',
    'new Date()',
    'Date()',
    'const { now } = Date',
    'const { hrtime } = process',
    'performance.now()',
    'performance.timeOrigin',
    'process.hrtime.bigint()',
    'Math.random()',
    'const { random } = Math',
    'const math = Math',
    'crypto.getRandomValues(word)',
    'crypto.randomUUID()',
    'setTimeout(() => {}, 1)',
    'globalThis.setTimeout(() => {}, 1)',
    'const timers = { setTimeout }',
    'const timer: unknown = setTimeout(() => {}, 1)',
    'setInterval(() => {}, 1)',
    'setImmediate(() => {})',
    'queueMicrotask(() => {})',
    'process.nextTick(() => {})',
    'AbortSignal.timeout(5)',
    'Atomics.wait(words, 0, 0)',
    'Atomics.wait(words, 0, 0, 1)',
    'Atomics.waitAsync(words, 0, 0)',
    'const { wait } = Atomics',
    'process.exit(1)',
    'new Worker(url)',
    'new threads.Worker(url)',
    'new SharedArrayBuffer(1, { maxByteLength: 2 })',
    "eval('1')",
  ])('%s', (text) => {
    expect(on('partition/x.ts', text)).toHaveLength(1)
  })

  test.each([
    'new Date(0)',
    'clock.setTimeout(1)',
    'const x = { Date: 1, setTimeout: 2, performance: 3 }',
    'class X { setTimeout(): void {} }',
    'type T = ReturnType<typeof setTimeout>',
    'let timer: ReturnType<typeof setTimeout> | undefined',
    'Math.max(1, 2)',
    'this.clock.nowMs()',
    'Atomics.notify(words, 0)',
    'new SharedArrayBuffer(1)',
    'new WorkerThread(url)',
    "const text = 'Date.now()'",
    '// Date.now()',
    'const { nowMs } = clock',
  ])('%s is no use of them', (text) => {
    expect(on('partition/x.ts', text)).toEqual([])
  })

  test('what is allowed in one file is refused in the next', () => {
    expect(on('clock.ts', 'Date.now()')).toEqual([])
    expect(on('log/clock.ts', 'Date.now()')).toHaveLength(1)
    expect(on('partition/partition-actor.ts', 'setImmediate(turn)')).toEqual([])
    expect(on('partition/partition-actor.ts', 'setTimeout(turn, 1)')).toHaveLength(1)
    expect(on('actor/worker-thread.ts', 'new Worker(url)')).toEqual([])
    expect(on('bells.ts', 'Atomics.waitAsync(words, 0, 1)')).toEqual([])
    expect(on('bells.ts', 'Atomics.wait(words, 0, 1)')).toHaveLength(1)
  })

  test.each([
    ['log/x.ts', "import { readFileSync } from 'node:fs'", 1],
    ['log/x.ts', "import { readFile } from 'node:fs/promises'", 1],
    ['client/x.ts', "import { setTimeout } from 'node:timers/promises'", 1],
    ['log/x.ts', "import type { Worker } from 'node:worker_threads'", 1],
    ['actor/x.ts', "import { Worker } from 'node:worker_threads'", 0],
    ['actor/x.ts', "import { wrap } from 'comlink/dist/esm/comlink.mjs'", 0],
    ['broker/x.ts', "import { wrap } from 'comlink'", 1],
    ['client/x.ts', "const { encode } = await import('@msgpack/msgpack')", 0],
    ['rx/x.ts', "import { map } from 'rxjs/operators'", 0],
    ['client/x.ts', "import { map } from 'rxjs'", 1],
    ['client/x.ts', "import { something } from 'left-pad'", 1],
    ['client/x.ts', "import fs from 'fs'", 1],
  ])('in %s: %s', (path, text, count) => {
    expect(forbiddenImports(parseSource(path, text))).toHaveLength(count)
  })

  test.each([
    ['Atomics.waitAsync(words, 0, 1)', 0],
    ['Atomics.waitAsync(words, 0, 1, 100)', 1],
    ['Atomics.waitAsync(...args)', 1],
    ["Atomics['waitAsync'](words, 0, 1, timeoutMs)", 1],
  ])('%s', (text, count) => {
    expect(timedWaits(parseSource('bells.ts', text))).toHaveLength(count)
  })
})
