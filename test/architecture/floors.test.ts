import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FLOORS, floorViolations, roomOf } from './floors.ts'
import { importCycles, importsOf, reachable, unresolvedImports } from './imports.ts'
import { listed, PROJECT_ROOT, parseSource, readSources } from './source-file.ts'

const sources = readSources('src')

describe('src', () => {
  test('imports go down the floors or stay in their folder', () => {
    expect(listed(floorViolations(sources))).toEqual([])
  })

  test('every relative import names a file', () => {
    expect(listed(unresolvedImports(sources))).toEqual([])
  })

  test('no file imports itself by way of others', () => {
    expect(importCycles(sources)).toEqual([])
  })

  test('a broker thread loads floors 0 to 7 only, and of the packages only comlink before it asks for one', () => {
    const loaded = reachable(sources, 'broker/worker-main.ts', (one) => !one.typeOnly)
    const files = sources.filter(({ path }) => loaded.has(path))
    expect(files.length).toBeGreaterThan(1)
    expect(files.map(({ path }) => path).filter((path) => FLOORS.get(roomOf(path))! > 7)).toEqual([])
    const packages = files.flatMap((file) => importsOf(file).filter((one) => one.path === undefined && !one.typeOnly && !one.lazy))
    expect(packages.map(({ specifier }) => specifier).filter((name) => !/^(node:|comlink(\/|$))/.test(name))).toEqual([])
  })

  test('the map in src/README.md draws the same floors', () => {
    const map = readFileSync(new URL('src/README.md', PROJECT_ROOT), 'utf8')
    const drawn = new Map<string, number>()
    for (const [, floor, rooms] of map.matchAll(/^ *(\d+) {2,}(.+)$/gm)) {
      const names = rooms!.split(/ {2,}[←(]/)[0]!.match(/[a-z][a-z-]*(\.ts)?/g) ?? []
      for (const name of names) drawn.set(FLOORS.has(name) ? name : `${name}.ts`, Number(floor))
    }
    const built = new Set(sources.map(({ path }) => roomOf(path)))
    expect([...built].filter((room) => drawn.get(room) !== FLOORS.get(room))).toEqual([])
  })
})

describe('the rules bite', () => {
  const on = (path: string, text: string): string[] => listed(floorViolations([parseSource(path, text)]))

  test('an import up', () => {
    expect(on('log/x.ts', "import { y } from '../broker/y.ts'")).toEqual(['log/x.ts:1 floor 2 imports "../broker/y.ts" up on floor 7'])
  })

  test('an import sideways', () => {
    expect(on('log/x.ts', "\nimport { y } from '../actor/y.ts'")).toEqual(['log/x.ts:2 imports "../actor/y.ts" sideways on floor 2'])
    expect(on('index.ts', "export { y } from './rxjs.ts'")).toHaveLength(1)
  })

  test.each([
    ['import type', "import type { Y } from '../broker/y.ts'"],
    ['an inline type import', "import { type Y } from '../broker/y.ts'"],
    ['an import() type', "export let y: import('../broker/y.ts').Y"],
    ['a dynamic import', "await import('../broker/y.ts')"],
    ['a re-export', "export { y } from '../broker/y.ts'"],
    ['a re-export of types', "export type { Y } from '../broker/y.ts'"],
    ['a re-export of all', "export * from '../broker/y.ts'"],
    ['an import for its effect', "import '../broker/y.ts'"],
    ["a worker's file", "new URL('../broker/y.ts', import.meta.url)"],
    ["a worker's file, with or without a build", "entryBeside('../broker/y', import.meta.url)"],
    ['a floor-0 file into a folder', "import { y } from '../broker/y.ts'"],
  ])('%s counts', (_, text) => {
    expect(on('log/x.ts', text)).toHaveLength(1)
  })

  test('a floor-0 file may import another, but nothing above', () => {
    expect(on('bells.ts', "import { threadId } from './ids.ts'")).toEqual([])
    expect(on('bells.ts', "import { crc32c } from './record/crc32c.ts'")).toHaveLength(1)
  })

  test('down and within the folder are allowed', () => {
    expect(on('client/producer/x.ts', "import { y } from '../consumer/y.ts'\nimport { z } from '../../log/z.ts'")).toEqual([])
  })

  test('a folder without a floor, and an import of one', () => {
    expect(on('attic/x.ts', '')).toHaveLength(1)
    expect(on('log/x.ts', "import '../attic/y.ts'")).toHaveLength(1)
  })

  test('an import that names no file', () => {
    expect(unresolvedImports([parseSource('log/x.ts', "import './y.js'")])).toHaveLength(1)
  })

  test('a cycle, also one of types', () => {
    const a = parseSource('log/a.ts', "import { b } from './b.ts'")
    const b = parseSource('log/b.ts', "import { c } from './c.ts'")
    const c = parseSource('log/c.ts', "import type { A } from './a.ts'")
    expect(importCycles([a, b, c])).toEqual(['log/a.ts → log/b.ts → log/c.ts → log/a.ts'])
    expect(importCycles([a, b])).toEqual([])
  })

  test('what a file reaches', () => {
    const a = parseSource('log/a.ts', "import { b } from './b.ts'\nimport type { C } from './c.ts'")
    const b = parseSource('log/b.ts', '')
    const c = parseSource('log/c.ts', '')
    expect([...reachable([a, b, c], 'log/a.ts')]).toEqual(['log/a.ts', 'log/b.ts', 'log/c.ts'])
    expect([...reachable([a, b, c], 'log/a.ts', (one) => !one.typeOnly)]).toEqual(['log/a.ts', 'log/b.ts'])
  })
})
