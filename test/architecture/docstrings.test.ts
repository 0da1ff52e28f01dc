import { describe, expect, test } from 'vitest'
import { undocumentedExports } from './docstrings.ts'
import { listed, parseSource, readSources } from './source-file.ts'

const sources = readSources('src')

test.each(['index.ts', 'rxjs.ts', 'streams.ts', 'testing.ts'])('every name that src/%s exports has a docstring', (entry) => {
  expect(sources.map(({ path }) => path)).toContain(entry)
  expect(listed(undocumentedExports(sources, entry))).toEqual([])
})

describe('the rule bites', () => {
  const on = (...texts: [string, string][]): string[] =>
    listed(
      undocumentedExports(
        texts.map(([path, text]) => parseSource(path, text)),
        'index.ts',
      ),
    )

  test.each([
    ['a function', 'export function open(): void {}'],
    ['a constant', 'export const open = 1'],
    ['an interface', 'export interface Open {}'],
    ['a type', 'export type Open = string'],
    ['a class', 'export class Open {}'],
    ['a local list', 'const open = 1\nexport { open }'],
    ['a line comment', '// Opens a millrace and more\nexport const open = 1'],
    ['a plain block', '/* Opens a millrace and more */\nexport const open = 1'],
    ['a hollow docstring', '/** Opens. */\nexport const open = 1'],
    ['the docstring of another', '/** Opens a millrace and more. */\nconst a = 1\nexport const open = a'],
  ])('%s', (_, text) => {
    expect(on(['index.ts', text])).toHaveLength(1)
  })

  const declared = 'export const open = 1'
  const documented = '/** Opens a millrace and more. */\nexport const open = 1'

  test.each([
    ['a re-export', "export { open } from './client/open.ts'"],
    ['under another name', "export { open as start } from './client/open.ts'"],
    ['of all', "export * from './client/open.ts'"],
    ['an import that is exported', "import { open } from './client/open.ts'\nexport { open }"],
    ['as a type', "export type { open } from './client/open.ts'"],
  ])('through %s', (_, text) => {
    expect(on(['index.ts', text], ['client/open.ts', declared])).toHaveLength(1)
    expect(on(['index.ts', text], ['client/open.ts', documented])).toEqual([])
  })

  test('through two files', () => {
    const chain: [string, string][] = [
      ['index.ts', "export * from './client/all.ts'"],
      ['client/all.ts', "export { open } from './open.ts'"],
    ]
    expect(on(...chain, ['client/open.ts', declared])).toEqual(['client/open.ts:1 exports "open" without a docstring'])
    expect(on(...chain, ['client/open.ts', documented])).toEqual([])
  })

  test('a name that is nowhere declared', () => {
    expect(on(['index.ts', "export { close } from './client/open.ts'"], ['client/open.ts', declared])).toHaveLength(1)
  })
})
