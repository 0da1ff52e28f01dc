import { describe, expect, test } from 'vitest'
import { assert, assertNever } from '../src/assert.ts'
import { MillraceError } from '../src/errors.ts'

describe('assert', () => {
  test('lets pass what holds', () => {
    expect(() => assert(true, 'never said')).not.toThrow()
    expect(() => assert(1, 'never said')).not.toThrow()
  })

  test.each([false, 0, '', null, undefined, Number.NaN])('stops at %s and says what should hold', (condition) => {
    expect(() => assert(condition, 'the tail is ahead of the head')).toThrow('assertion failed: the tail is ahead of the head')
  })

  test('raises a defect, which no retry mends', () => {
    let raised: unknown
    try {
      assert([].length > 0, 'x')
    } catch (error) {
      raised = error
    }
    expect(raised).toBeInstanceOf(MillraceError)
    expect(raised).toMatchObject({ code: 'ASSERTION_FAILED', retriable: false })
  })

  test('narrows the type', () => {
    const value: string | undefined = ['text'][0]
    assert(value !== undefined, 'there is one')
    const text: string = value
    expect(text).toBe('text')
  })
})

test('assertNever names what was not expected', () => {
  expect(() => assertNever('leader' as never, 'role')).toThrow('assertion failed: unexpected role: leader')
})
