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
      kafka: undefined,
      soakMinutes: 1,
    })
  })

  test('cases are chosen by id, in any case and spacing', () => {
    expect(parseOptions(['--only', 's1, S8'], CASES).only).toEqual(['S1', 'S8'])
  })

  test('an address of a Kafka is taken from the command line, and else from the environment', () => {
    const environment = { MILLRACE_BENCH_KAFKA: 'kafka.example:9092' }
    expect(parseOptions([], CASES, environment).kafka).toBe('kafka.example:9092')
    expect(parseOptions(['--kafka', 'localhost:19092'], CASES, environment).kafka).toBe('localhost:19092')
    expect(parseOptions([], CASES, { MILLRACE_BENCH_KAFKA: '' }).kafka).toBeUndefined()
  })

  test.each([
    [['--kafka', 'localhost'], 'such as localhost:9092'],
    [['--kafka', 'localhost:99999'], 'such as localhost:9092'],
    [['--soak-minutes', '0'], 'from 1'],
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
