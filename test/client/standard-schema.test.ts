import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { SchemaError, checkSchema, isStandardSchema, validateNow } from '../../src/client/standard-schema.ts'
import type { SchemaResult, StandardSchema } from '../../src/client/standard-schema.ts'

function schemaOf<T>(validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

const numbers = schemaOf<number>((value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'not a number' }] }))

test('a schema is told by its ~standard.validate, on objects and on functions', () => {
  expect(isStandardSchema(numbers)).toBe(true)
  expect(isStandardSchema(Object.assign(() => 1, numbers))).toBe(true)
  for (const value of [undefined, null, 1, 'x', {}, { '~standard': null }, { '~standard': {} }, { '~standard': { validate: 1 } }]) {
    expect(isStandardSchema(value)).toBe(false)
    expect(() => checkSchema(value)).toThrow('Standard Schema')
  }
})

test('validating gives the output of the schema', () => {
  const trimmed = schemaOf<string>((value) => ({ value: String(value).trim() }))
  expect(validateNow(numbers, 5)).toBe(5)
  expect(validateNow(trimmed, ' a ')).toBe('a')
})

test('what is wrong is said with its place, three issues at most', () => {
  const many = schemaOf<never>(() => ({
    issues: [
      { message: 'expected a number', path: ['items', 0, { key: 'price' }] },
      { message: 'too short', path: [] },
      { message: 'no', path: [Symbol('s')] },
      { message: 'four' },
      { message: 'five' },
    ],
  }))
  const check = (): never => validateNow(many, {})
  expect(check).toThrow(SchemaError)
  expect(check).toThrow('items.0.price: expected a number; too short; Symbol(s): no; and 2 more')
  expect(() =>
    validateNow(
      schemaOf(() => ({ issues: [] })),
      1,
    ),
  ).toThrow('the schema gave no reason')
})

describe('an asynchronous schema', () => {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)

  test('is refused when it is given, as far as probing finds it', () => {
    const always = schemaOf<number>(async (value) => ({ value: Number(value) }))
    const onText = schemaOf<string>((value) => (typeof value === 'string' ? Promise.resolve({ value }) : { issues: [] }))
    const onObjects = schemaOf<object>((value) =>
      typeof value === 'object' && value !== null ? Promise.resolve({ value }) : { issues: [] },
    )
    const marked = { ...numbers, async: true }
    for (const schema of [always, onText, onObjects, marked]) {
      expect(() => checkSchema(schema)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }) as MillraceError)
    }
  })

  test('that probing does not find is refused at the first promise', () => {
    const late = schemaOf<number>((value) => (value === 41 ? Promise.resolve({ value: 42 }) : { issues: [{ message: 'no' }] }))
    expect(() => checkSchema(late)).not.toThrow()
    expect(() => validateNow(late, 41)).toThrow(MillraceError)
    expect(() => validateNow(late, 41)).toThrow('asynchronously')
  })

  test('leaves no unhandled rejection behind', async () => {
    process.on('unhandledRejection', note)
    const failing = schemaOf<number>(() => Promise.reject(new Error('later')))
    expect(() => checkSchema(failing)).toThrow('asynchronously')
    expect(() => validateNow(failing, 1)).toThrow('asynchronously')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
})

test('a schema that throws on a probe is no asynchronous schema', () => {
  const picky = schemaOf<string>((value) => ({ value: (value as { name: string }).name.trim() }))
  expect(() => checkSchema(picky)).not.toThrow()
})
