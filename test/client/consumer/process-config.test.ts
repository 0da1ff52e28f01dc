import { expect, test } from 'vitest'
import { fillProcessOptions } from '../../../src/client/consumer/process-config.ts'
import type { ProcessOptions } from '../../../src/client/consumer/process-config.ts'
import { MillraceError } from '../../../src/errors.ts'

function refusal(options: unknown): MillraceError {
  try {
    fillProcessOptions(options as ProcessOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

test('the defaults', () => {
  const defaults = {
    concurrency: 1,
    order: 'key',
    maxInFlight: 1_000,
    maxInFlightBytes: 16_777_216,
    retry: { attempts: 5, backoffMs: 1_000, backoffMaxMs: 60_000 },
    deadLetterTopic: undefined,
  }
  expect(fillProcessOptions(undefined)).toEqual(defaults)
  expect(fillProcessOptions({ retry: { attempts: undefined } })).toEqual(defaults)
  expect(fillProcessOptions({ retry: { attempts: 1 } }).retry).toEqual({ attempts: 1, backoffMs: 1_000, backoffMaxMs: 60_000 })
})

test('a first backoff above the default of the longest is bounded by it', () => {
  expect(fillProcessOptions({ retry: { backoffMs: 90_000 } }).retry).toMatchObject({ backoffMs: 90_000, backoffMaxMs: 60_000 })
})

test.each<[unknown, string]>([
  [{ concurrency: 0 }, 'a whole number (int) from 1'],
  [{ order: 'keys' }, 'did you mean "key"?'],
  [{ order: 'unordered' }, 'did you mean "none"?'],
  [{ maxInFlight: 0 }, 'a whole number of records (int) from 1'],
  [{ maxInFlightBytes: 0 }, 'a whole number of bytes (long) from 1'],
  [{ concurrency: 10, maxInFlight: 9 }, 'maxInFlight (9) must not be below concurrency (10)'],
  [{ retry: 5 }, 'an object { attempts, backoffMs, backoffMaxMs }'],
  [{ retry: { attempts: 0 } }, 'retry option attempts must be a whole number (int) from 1'],
  [{ retry: { backoffMs: -1 } }, 'retry option backoffMs must be a whole number of ms (int) from 0'],
  [{ retry: { backoffMs: 100, backoffMaxMs: 50 } }, 'backoffMaxMs (50) must not be below backoffMs (100)'],
  [{ deadLetterTopic: 7 }, 'must be a string'],
])('%j is refused', (options, words) => {
  expect(refusal(options)).toMatchObject({ code: 'INVALID_CONFIG', retriable: false })
  expect(refusal(options).message).toContain(words)
})

test('a dead-letter topic has the name of a topic', () => {
  expect(refusal({ deadLetterTopic: 'mail dlt' })).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' })
})

test.each<[unknown, string]>([
  [{ attempts: 3 }, 'it belongs into retry: { attempts, backoffMs, backoffMaxMs }'],
  [{ retries: 3 }, 'it belongs into retry'],
  [{ backoffMs: 3 }, 'it belongs into retry'],
  [{ delay: 3 }, 'there are no delayed ones'],
  [{ priority: 3 }, 'a topic for each priority'],
  [{ limiter: {} }, 'there is no rate limit'],
  [{ groupId: 'g' }, 'millrace.consumer({ groupId })'],
  [{ dlq: 'x' }, 'it is called deadLetterTopic here'],
  [{ partitionsConsumedConcurrently: 3 }, 'it is called concurrency here'],
  [{ concurency: 3 }, 'did you mean concurrency'],
  [{ retry: { retries: 3 } }, 'it is called attempts here'],
  [{ retry: { maxRetryTime: 3 } }, 'it is called backoffMaxMs here'],
  [{ retry: { factor: 3 } }, 'the wait doubles each time'],
])('the name in %j is answered', (options, words) => {
  expect(refusal(options).message).toContain(words)
})
