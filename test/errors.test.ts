import { existsSync, readFileSync } from 'node:fs'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { errorFromData, errorToData, isRetriable, KAFKA_ERRORS, kafkaErrorName, MillraceError } from '../src/errors.ts'
import type { ErrorData, ErrorName } from '../src/errors.ts'

const PROTOCOL = new URL('../../shared/reference/kafka-protocol.json', import.meta.url)

describe("Kafka's error table", () => {
  test.runIf(existsSync(PROTOCOL))('holds every code under its name', () => {
    const { errors } = JSON.parse(readFileSync(PROTOCOL, 'utf8')) as { errors: [number, string][] }
    expect(errors.length).toBeGreaterThan(100)
    expect(Object.entries(KAFKA_ERRORS).map(([name, code]) => [code, name])).toEqual(errors.map(([code, name]) => [code, name]))
  })

  test('leads from code to name and back', () => {
    for (const [name, code] of Object.entries(KAFKA_ERRORS)) expect(kafkaErrorName(code)).toBe(name)
  })

  test('a code of a newer Kafka is an unknown server error', () => {
    expect(kafkaErrorName(9_999)).toBe('UNKNOWN_SERVER_ERROR')
    expect(kafkaErrorName(-2)).toBe('UNKNOWN_SERVER_ERROR')
  })

  test.each<[ErrorName, boolean]>([
    ['NOT_LEADER_OR_FOLLOWER', true],
    ['REQUEST_TIMED_OUT', true],
    ['THREAD_DIED', true],
    ['BUFFER_EXHAUSTED', true],
    ['MESSAGE_TOO_LARGE', false],
    ['INVALID_PRODUCER_EPOCH', false],
    ['PRODUCER_FENCED', false],
    ['CLOSED', false],
    ['ABORTED', false],
    ['ASSERTION_FAILED', false],
  ])('%s: retriable %s', (name, retriable) => {
    expect(isRetriable(name)).toBe(retriable)
    expect(new MillraceError(name, 'x').retriable).toBe(retriable)
  })
})

describe('MillraceError', () => {
  test('is an Error with code, message and stack', () => {
    const error = new MillraceError('CLOSED', 'open another one')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'MillraceError', code: 'CLOSED', message: 'open another one', retriable: false })
    expect(error.stack).toContain('errors.test.ts')
    expect('cause' in error).toBe(false)
  })

  test('carries a cause, and may say of itself whether it is retriable', () => {
    const cause = new TypeError('no bytes')
    const error = new MillraceError('SERIALIZATION', 'x', { cause, retriable: true })
    expect(error.cause).toBe(cause)
    expect(error.retriable).toBe(true)
  })
})

describe('an error on its way through a message port', () => {
  const send = async (data: ErrorData): Promise<ErrorData> => {
    const { port1, port2 } = new MessageChannel()
    try {
      return await new Promise<ErrorData>((resolve) => {
        port2.once('message', resolve)
        port1.postMessage(data)
      })
    } finally {
      port1.close()
    }
  }

  test('keeps class, code, message, retriable, stack and cause', async () => {
    const original = new MillraceError('NOT_LEADER_OR_FOLLOWER', 'moved', {
      cause: new MillraceError('THREAD_DIED', 'broker 2 ended', { retriable: false, cause: new RangeError('too deep') }),
    })
    const error = errorFromData(await send(errorToData(original)))
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER', message: 'moved', retriable: true, stack: original.stack })
    expect(error.cause).toBeInstanceOf(MillraceError)
    expect(error.cause).toMatchObject({ code: 'THREAD_DIED', retriable: false })
    expect((error.cause as Error).cause).toMatchObject({ name: 'RangeError', message: 'too deep' })
  })

  test('another error keeps its name and code', async () => {
    const original = Object.assign(new Error('no such file'), { name: 'SystemError', code: 'ENOENT' })
    const error = errorFromData(await send(errorToData(original)))
    expect(error).not.toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ name: 'SystemError', code: 'ENOENT', message: 'no such file', stack: original.stack })
    expect('cause' in error).toBe(false)
  })

  test.each([['a string'], [42], [null], [undefined], [{ toString: () => 'an object' }]])(
    '%s that was thrown becomes an error',
    async (thrown) => {
      const error = errorFromData(await send(errorToData(thrown)))
      expect(error).toBeInstanceOf(Error)
      expect(error.message).toBe(String(thrown))
    },
  )

  test('a chain of causes that never ends is cut', async () => {
    const endless = new Error('endless')
    endless.cause = endless
    let depth = 0
    for (let at: unknown = errorFromData(await send(errorToData(endless))); at instanceof Error; at = at.cause) depth++
    expect(depth).toBe(5)
  })

  test('an error of a newer version without a code is an unknown server error', () => {
    const data: ErrorData = {
      name: 'MillraceError',
      message: 'x',
      code: undefined,
      retriable: undefined,
      stack: undefined,
      cause: undefined,
    }
    expect(errorFromData(data)).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', retriable: false })
  })
})
