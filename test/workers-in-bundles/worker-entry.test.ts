import { access, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import { buildPackage, runProgram } from './built-package.ts'
import { COMPACTION_OUTPUT, compactionProgram } from './compaction-program.ts'
import { HELLO_RECORDS, helloOutput, helloProgram } from './hello-program.ts'
import type { BuiltPackage } from './built-package.ts'

let built: BuiltPackage
// A folder from which nothing can be imported but what lies in it.
let bare: string

beforeAll(async () => {
  built = await buildPackage()
  bare = await realpath(await mkdtemp(join(tmpdir(), 'millrace-bare-')))
})

afterAll(async () => {
  await built.remove()
  await rm(bare, { recursive: true, force: true })
})

/** One that nobody has used. */
let dataDirs = 0
const dataDir = (): string => join(bare, `data-${dataDirs++}`)

async function program(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(folder, { recursive: true })
  await writeFile(path, text)
  return path
}

describe('broker threads find their file', () => {
  test('in vitest', async () => {
    const millrace = await openMillrace({ brokers: 2 })
    const greetings = await millrace.topic('greetings', { partitions: 4, value: string() })
    const producer = millrace.producer()
    await Promise.all(Array.from({ length: HELLO_RECORDS }, (_, i) => producer.send(greetings, { key: `key ${i}`, value: `hello ${i}` })))
    const seen: string[] = []
    for await (const record of millrace.consumer().records(greetings, { until: 'end' })) seen.push(record.value)
    await millrace.close()
    expect(seen.sort()).toEqual(helloOutput())
  })

  test('from the sources, whose types Node.js strips', async () => {
    const path = await program(bare, 'from-sources.mjs', helloProgram({ from: new URL('../../src/index.ts', import.meta.url).href }))
    expect(await runProgram(path)).toEqual(helloOutput())
  })

  test('from the built package', async () => {
    const path = await program(built.folder, 'from-package.mjs', helloProgram({ from: 'millrace' }))
    expect(await runProgram(path)).toEqual(helloOutput())
  })

  test('from the built package by a given workerUrl', async () => {
    await program(built.folder, 'own-worker.mjs', "import 'millrace/worker'\n")
    const path = await program(built.folder, 'with-own-worker.mjs', helloProgram({ from: 'millrace', worker: './own-worker.mjs' }))
    expect(await runProgram(path)).toEqual(helloOutput())
  })

  test('and those that compact files find theirs: from the sources, from the built package, by a given workerUrl', async () => {
    const sources = new URL('../../src/index.ts', import.meta.url).href
    const fromSources = await program(bare, 'compaction.mjs', compactionProgram({ from: sources, dataDir: dataDir() }))
    expect(await runProgram(fromSources)).toEqual(COMPACTION_OUTPUT)
    const fromPackage = await program(built.folder, 'compaction.mjs', compactionProgram({ from: 'millrace', dataDir: dataDir() }))
    expect(await runProgram(fromPackage)).toEqual(COMPACTION_OUTPUT)
    await program(built.folder, 'own-worker.mjs', "import 'millrace/worker'\n")
    const options = { from: 'millrace', worker: './own-worker.mjs', dataDir: dataDir() }
    const byWorkerUrl = await program(built.folder, 'compaction-with-own-worker.mjs', compactionProgram(options))
    expect(await runProgram(byWorkerUrl)).toEqual(COMPACTION_OUTPUT)
  }, 60_000)

  // The recipe: a second entry that imports `millrace/worker`, and its place given to openMillrace.
  test.each([
    ['each entry in one file', false],
    ['entries that share chunks', true],
  ])('after bundling by the recipe, %s', async (name, shared) => {
    const app = join(built.folder, 'bundled')
    await program(app, 'app.js', helloProgram({ from: 'millrace', worker: './worker.js' }))
    await program(app, 'compaction.js', compactionProgram({ from: 'millrace', worker: './worker.js', dataDir: dataDir() }))
    await program(app, 'worker.js', "import 'millrace/worker'\n")
    const out = join(built.folder, `out-${String(shared)}`)
    // One build an entry keeps them apart; one build for both lets the bundler share what both use.
    const entries = ['app.js', 'compaction.js', 'worker.js']
    const inputs = shared ? [entries] : entries.map((entry) => [entry])
    for (const input of inputs) {
      const bundle = await rolldown({ input: input.map((entry) => join(app, entry)), platform: 'node', cwd: app, logLevel: 'silent' })
      await bundle.write({ dir: out, format: 'esm', entryFileNames: '[name].js' })
      await bundle.close()
    }
    const alone = join(bare, name.replaceAll(' ', '-'))
    await cp(out, alone, { recursive: true })
    await writeFile(join(alone, 'package.json'), '{ "type": "module" }')
    expect(await runProgram(join(alone, 'app.js'))).toEqual(helloOutput())
    expect(await runProgram(join(alone, 'compaction.js'))).toEqual(COMPACTION_OUTPUT)
  })

  test('after bundling without the recipe the error says what to do', async () => {
    const app = await program(join(built.folder, 'unprepared'), 'app.js', helloProgram({ from: 'millrace' }))
    const bundle = await rolldown({ input: app, platform: 'node', cwd: built.folder, logLevel: 'silent' })
    const alone = join(bare, 'unprepared')
    await bundle.write({ dir: alone, format: 'esm', entryFileNames: 'app.mjs' })
    await bundle.close()
    await expect(runProgram(join(alone, 'app.mjs'))).rejects.toThrow(/workerUrl/)
  })
})

describe('the built package', () => {
  test('has declarations, and source maps that name lines of the sources', async () => {
    const dist = join(built.folder, 'node_modules', 'millrace', 'dist')
    const files = (await readdir(dist, { recursive: true })).map((path) => path.replaceAll('\\', '/'))
    const scripts = files.filter((path) => path.endsWith('.js'))
    expect(scripts).toContain('index.js')
    expect(files.filter((path) => !/\.(js|d\.ts|js\.map)$/.test(path) && path.includes('.'))).toEqual([])
    for (const declarations of ['index.d.ts', 'rxjs.d.ts', 'testing.d.ts', 'broker/worker-main.d.ts'])
      await access(join(dist, declarations))
    for (const script of scripts) {
      // An entry that only hands on what other files have, has no lines of a source.
      if (/^(?:(?:import|export)\b[^;]*;\s*)*$/.test(await readFile(join(dist, script), 'utf8'))) continue
      const map = JSON.parse(await readFile(join(dist, `${script}.map`), 'utf8')) as { sources: string[]; mappings: string }
      expect(
        map.sources.every((source) => source.endsWith('.ts')),
        script,
      ).toBe(true)
      expect(map.mappings.length, script).toBeGreaterThan(0)
    }
  })

  test('names no TypeScript file of its own in what it imports', async () => {
    const dist = join(built.folder, 'node_modules', 'millrace', 'dist')
    for (const path of await readdir(dist, { recursive: true })) {
      if (!path.endsWith('.js')) continue
      expect(await readFile(join(dist, path), 'utf8'), path).not.toMatch(/(?:from|import\(|new URL\() ?['"]\.[^'"]*\.ts['"]/)
    }
  })
})
