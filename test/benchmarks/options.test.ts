import { describe, expect, test } from 'vitest'
import { parseOptions, UsageError } from '../../benchmarks/harness/options.ts'

const CASES = ['S1', 'S8', 'C1']

describe('the command line', () => {
  test('nothing said: all cases, in full', () => {
    expect(parseOptions([], CASES)).toEqual({
      small: false,
      only: [],
      compare: undefined,
      out: undefined,
      strict: false,
      list: false,
      help: false,
      repetitions: undefined,
    })
  })

  test('cases are chosen by id, in any case and spacing', () => {
    expect(parseOptions(['--only', 's1, S8'], CASES).only).toEqual(['S1', 'S8'])
  })

  test.each([
    [['--only', 'S99'], 'no case S99; the cases are S1, S8, C1'],
    [['--only', ','], 'at least one case'],
    [['--bogus'], '--bogus'],
    [['S1'], 'S1'],
    [['--only'], '--only'],
    [['--repetitions', '4'], 'from 5'],
    [['--repetitions', 'many'], '"many"'],
    [['--small', '--repetitions', '0'], 'from 1'],
  ])('%j is refused with a sentence', (args, words) => {
    expect(() => parseOptions(args, CASES)).toThrow(UsageError)
    expect(() => parseOptions(args, CASES)).toThrow(words)
  })
})
