import { describe, expect, it } from 'vitest'
import { parseOptions, UsageError } from '../../examples/user-activity/options.ts'

function messageOf(...args: string[]): string {
  try {
    parseOptions(args)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return (error as Error).message
  }
  return 'accepted'
}

describe('parseOptions', () => {
  it('has a default for everything', () => {
    expect(parseOptions([])).toEqual({ help: false, files: [], repeat: 1, producers: 2, consumers: 2, logMemoryBytes: 268_435_456 })
  })

  it('takes files, standard input and options in any order', () => {
    expect(parseOptions(['a.log', '--repeat', '3', '-', '--consumers=5', 'b.gz', '--producers', '4', '--log-memory-mib', '128'])).toEqual({
      help: false,
      files: ['a.log', '-', 'b.gz'],
      repeat: 3,
      producers: 4,
      consumers: 5,
      logMemoryBytes: 134_217_728,
    })
    expect(parseOptions(['--', '--odd-name.log']).files).toEqual(['--odd-name.log'])
    expect(parseOptions(['--help']).help).toBe(true)
  })

  it.each([
    [['--repeats', '3'], "Unknown option '--repeats'."],
    [['-x'], "Unknown option '-x'."],
    [['--repeat'], "Option '--repeat <value>' argument missing."],
    [['--repeat', '0'], '--repeat takes a whole number from 1 to 1000000, not "0".'],
    [['--repeat', '-1'], "Option '--repeat' argument is ambiguous."],
    [['--repeat', '1.5'], '--repeat takes a whole number from 1 to 1000000, not "1.5".'],
    [['--repeat', 'many'], '--repeat takes a whole number from 1 to 1000000, not "many".'],
    [['--repeat', ''], '--repeat takes a whole number from 1 to 1000000, not "".'],
    [['--producers', '17'], '--producers takes a whole number from 1 to 16, not "17".'],
    [['--consumers', '6'], '--consumers takes a whole number from 1 to 5, not "6".'],
    [['--log-memory-mib', '129'], '--log-memory-mib must be a multiple of 8, not 129.'],
    [['-', '-'], 'Standard input (-) can be read only once.'],
  ])('%j: %s', (args, message) => {
    expect(messageOf(...args)).toBe(message)
  })
})
