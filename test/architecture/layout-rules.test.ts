import { describe, expect, test } from 'vitest'
import { COLUMNS_MAX, LINES_MAX, layoutViolations } from './layout-rules.ts'
import { listed, parseSource, readSources } from './source-file.ts'

test('src: files are short, named after what they are, and begin by saying it', () => {
  expect(listed(readSources('src').flatMap(layoutViolations))).toEqual([])
})

describe('the rules bite', () => {
  const on = (path: string, text: string): string[] => listed(layoutViolations(parseSource(path, text)))
  const header = '// What it is.\n'

  test('a file that complies', () => {
    expect(on('log/memory-log.ts', `${header}${'const x = 1\n'.repeat(1)}`)).toEqual([])
    expect(on('log/crc32c.ts', `${header}${'\n'.repeat(LINES_MAX - 1)}`)).toEqual([])
  })

  test('a long file', () => {
    expect(on('log/memory-log.ts', `${header}${'\n'.repeat(LINES_MAX)}`)).toHaveLength(1)
  })

  test('a long line in a comment; long code is left to the formatter', () => {
    const long = 'x'.repeat(COLUMNS_MAX)
    const found = [`log/x.ts:2 has a comment of ${COLUMNS_MAX + 3} columns, more than ${COLUMNS_MAX}`]
    expect(on('log/x.ts', `${header}// ${long}`)).toEqual(found)
    expect(on('log/x.ts', `${header}/*${long}\n*/`)).toHaveLength(1)
    expect(on('log/x.ts', `/* What\n   ${long}\nit is. */`)).toEqual(found)
    expect(on('log/x.ts', `${header}const text = '${long}'`)).toEqual([])
  })

  test.each(['log/memoryLog.ts', 'log/MemoryLog.ts', 'log/memory_log.ts', 'Log/memory.ts'])('the name %s', (path) => {
    expect(on(path, header)).toHaveLength(1)
  })

  test.each(['log/utils.ts', 'log/log-utils.ts', 'helpers/log.ts', 'common/x.ts', 'log/misc.ts', 'log/string-helper.ts'])(
    'the empty name %s',
    (path) => {
      expect(on(path, header)).toHaveLength(1)
    },
  )

  test('no comment on top', () => {
    expect(on('log/x.ts', 'const x = 1')).toHaveLength(1)
    expect(on('log/x.ts', 'const x = 1 // one')).toHaveLength(1)
  })
})
