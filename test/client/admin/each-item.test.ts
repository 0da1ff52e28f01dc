import { describe, expect, test } from 'vitest'
import { checkNamedOnce, doEach } from '../../../src/client/admin/each-item.ts'
import type { Item, ItemFailures } from '../../../src/client/admin/each-item.ts'
import { MillraceError } from '../../../src/errors.ts'

const fails = (name: string, error: Error): Item<string> => ({ name, run: () => Promise.reject(error) })
const gives = (name: string): Item<string> => ({ name, run: async () => name.toUpperCase() })
const missing = (name: string): MillraceError =>
  new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no ${name}`, { retriable: false })
const timedOut = new MillraceError('REQUEST_TIMED_OUT', 'nobody answered')

describe('doEach', () => {
  test('gives the results in the order of the items, whoever ends first', async () => {
    const ended: string[] = []
    const endsAfter = (name: string, microtasks: number): Item<string> => ({
      name,
      run: async () => {
        for (let i = 0; i < microtasks; i++) await Promise.resolve()
        ended.push(name)
        return name
      },
    })
    expect(await doEach([endsAfter('a', 9), endsAfter('b', 1), endsAfter('c', 4)])).toEqual(['a', 'b', 'c'])
    expect(ended).toEqual(['b', 'c', 'a'])
  })

  test('of nothing is nothing', async () => expect(await doEach([])).toEqual([]))

  test('one item alone rejects with its own error', async () => {
    const error = missing('a')
    await expect(doEach([fails('a', error)])).rejects.toBe(error)
  })

  test('some that fail: the code of the first, and all of them by name; the others were done', async () => {
    const error = await doEach([gives('a'), fails('b', missing('b')), fails('c', timedOut)]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: '2 of 3 failed, the first, b: there is no b',
      retriable: false,
      cause: {
        name: 'ItemFailures',
        message: '2 of 3 failed: b, c',
        errors: [{ code: 'UNKNOWN_TOPIC_OR_PARTITION' }, { code: 'REQUEST_TIMED_OUT' }],
      },
    })
    const { cause } = error as { cause: ItemFailures }
    expect(cause).toBeInstanceOf(AggregateError)
    expect([...cause.byName]).toEqual([
      ['b', cause.errors[0]],
      ['c', timedOut],
    ])
  })

  test('is retriable when every failure is', async () => {
    await expect(doEach([fails('a', timedOut), fails('b', timedOut)])).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true })
  })

  test('rejects only when all have ended', async () => {
    let ended = false
    const late: Item<string> = {
      name: 'late',
      run: async () => {
        for (let i = 0; i < 20; i++) await Promise.resolve()
        ended = true
        return 'late'
      },
    }
    await expect(doEach([fails('a', timedOut), late])).rejects.toThrow('1 of 2 failed')
    expect(ended).toBe(true)
  })

  test.each(['ABORTED', 'CLOSED'] as const)('%s is said of the call as a whole', async (code) => {
    const error = new MillraceError(code, 'the user has left')
    await expect(doEach([fails('a', timedOut), fails('b', error), gives('c')])).rejects.toBe(error)
  })

  test('a defect is thrown as it is', async () => {
    const defect = new TypeError('x is not a function')
    await expect(doEach([fails('a', timedOut), fails('b', defect)])).rejects.toBe(defect)
  })
})

test('checkNamedOnce', () => {
  expect(() => checkNamedOnce(['a', 'b'], 'topic')).not.toThrow()
  expect(() => checkNamedOnce(['a', 'b', 'a'], 'topic')).toThrow(/topic a is named twice in one call: name it once/)
})
