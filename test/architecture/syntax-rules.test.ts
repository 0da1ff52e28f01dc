import { describe, expect, test } from 'vitest'
import { listed, parseSource, readSources } from './source-file.ts'
import { syntaxViolations } from './syntax-rules.ts'

test.each(['src', 'test', 'benchmarks', 'examples'])('%s: only syntax that Node.js 22 strips and parses', (folder) => {
  expect(listed(readSources(folder).flatMap(syntaxViolations))).toEqual([])
})

describe('the rules bite', () => {
  const on = (text: string): string[] => listed(syntaxViolations(parseSource('log/x.ts', text)))

  test.each([
    'using file = open()',
    'await using file = open()',
    'for (using file of files) {}',
    'enum Colour { Red }',
    'const enum Colour { Red }',
    'declare enum Colour { Red }',
    'namespace Colours { export const red = 1 }',
    'class X { constructor(readonly y: number) {} }',
    "import fs = require('node:fs')",
    'const x = <string>y',
    'export default function x(): void {}',
    'export default 1',
    'const x = 1; export { x as default }',
    'let x: any',
    'function x(y: any[]): void {}',
    'const x = y as any',
    'let x: Map<string, any>',
    '@sealed class X {}',
    'const x = /(?i:a)b/',
    'const x = /(?-i:a)b/',
    '// @ts-ignore\nlet x: string',
    '/* @ts-nocheck */',
  ])('%s', (text) => {
    expect(on(text)).toHaveLength(1)
  })

  test.each([
    'const using = 1',
    'const any = { any: 1 }',
    "const text = 'enum X {} using y = any'",
    'const x = /(?:a)(?<name>b)(?=c)(?!d)(?<=e)/',
    'const x = /(?<year>\\d{4})(?:-(?<month>\\d\\d))?/',
    'export { x } from "./x.ts"',
    'const x = y as const',
    'declare const brand: unique symbol',
    '// @ts-expect-error: a number is no string\nlet x: string = 1',
  ])('%s is fine', (text) => {
    expect(on(text)).toEqual([])
  })
})
