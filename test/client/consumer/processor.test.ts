import { describe, expect, test } from 'vitest'
import type { ConsumerRecord } from '../../../src/client/consumer/consumer-record.ts'
import type { DeadLetters } from '../../../src/client/consumer/dead-letters.ts'
import { deadLetterHeaders } from '../../../src/client/consumer/dead-letters.ts'
import type { DeadLetterEvent, RetryEvent } from '../../../src/client/consumer/processor-parts.ts'
import { MillraceError } from '../../../src/errors.ts'
import { Fixture, records } from './fake-source.ts'
import { settle } from './hand-driven-log.ts'

const NOT_TEXT = Uint8Array.of(0xff, 0xfe)

/** Handlers that the test ends one by one. */
class Hands {
  readonly begun: { readonly record: ConsumerRecord<string | null, string>; readonly signal: AbortSignal; attempt: number }[] = []
  readonly #ends: PromiseWithResolvers<void>[] = []

  readonly handler = (record: ConsumerRecord<string | null, string>, { signal, attempt }: { signal: AbortSignal; attempt: number }) => {
    this.begun.push({ record, signal, attempt })
    const end = Promise.withResolvers<void>()
    this.#ends.push(end)
    return end.promise
  }

  get values(): string[] {
    return this.begun.map(({ record }) => record.value)
  }

  succeed(at: number): Promise<void> {
    this.#ends[at]!.resolve()
    return settle()
  }

  fail(at: number, error: unknown): Promise<void> {
    this.#ends[at]!.reject(error)
    return settle()
  }
}

test('runs so many at a time, settles in any order, and tells how far all is settled', async () => {
  const hands = new Hands()
  const { source, processor } = new Fixture({ concurrency: 2, order: 'none' }, hands.handler)
  source.add(0, records(4), { gap: 2 })
  await settle()
  expect(hands.values).toEqual(['0', '1'])
  expect([processor.running, processor.inFlight]).toEqual([2, 2])
  await hands.succeed(1)
  expect(source.positions.size).toBe(0)
  await hands.succeed(0)
  expect(source.positions.get(0)).toBe(2)
  await hands.succeed(2)
  await hands.succeed(3)
  // Offsets without a record behind the last one too.
  expect(source.positions.get(0)).toBe(6)
  await processor.close()
})

test('a handler that is no async function is one too', async () => {
  const seen: string[] = []
  const { source, processor } = new Fixture({}, (record) => seen.push(record.value))
  source.add(1, records(100))
  await processor.drained()
  expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => `${at}`))
  expect(source.positions.get(1)).toBe(100)
  await processor.close()
})

describe('the event loop has its turn', () => {
  const orders = ['none', 'key', 'partition'] as const
  const handlers = ['synchronous', 'async', 'async, with its work behind an await'] as const
  const cases = orders.flatMap((order) => handlers.map((kind) => [order, kind] as const))

  // Time is virtual, so that no busy machine has a part in it: only handlers take any, 1 ms each.
  test.each(cases)('at least every 5 ms: order %s, handlers that are %s', async (order, kind) => {
    const concurrency = kind === 'async, with its work behind an await' ? 4 : 100
    let longestMs = 0
    let turnMs = 0
    let handled = 0
    const work = (): void => {
      handled++
      clock.advance(1)
      longestMs = Math.max(longestMs, clock.monotonicMs() - turnMs)
    }
    const handler = {
      synchronous: work,
      async: async () => work(),
      'async, with its work behind an await': async () => {
        await Promise.resolve()
        work()
      },
    }[kind]
    const { source, processor, clock } = new Fixture({ order, concurrency }, handler)
    const onTurn = (): void => {
      turnMs = clock.monotonicMs()
      turn = setImmediate(onTurn)
    }
    let turn = setImmediate(onTurn)
    for (let partition = 0; partition < 3; partition++) {
      const batch = Array.from({ length: 200 }, (_, at) => ({ key: `${at % 50}`, value: 'v' }))
      source.add(partition, batch)
    }
    await processor.drained()
    clearImmediate(turn)
    expect(handled).toBe(600)
    // 5 ms, and what had begun by then: one handler, or all that had come to their await.
    const begun = kind === 'async, with its work behind an await' ? concurrency : 1
    expect(longestMs).toBeLessThanOrEqual(5 + begun)
    await processor.close()
  })

  test('and where records take no time, the clock is looked at once in some', async () => {
    let looks = 0
    const { source, processor, clock } = new Fixture({ order: 'none', concurrency: 10 }, () => undefined)
    const { monotonicMs } = clock
    clock.monotonicMs = () => {
      looks++
      return monotonicMs.call(clock)
    }
    source.add(0, records(3_200))
    await processor.drained()
    expect(looks).toBeLessThan(3_200 / 4)
    await processor.close()
  })
})

describe('a retry', () => {
  test('comes after its backoff, holds up its key, and says which attempt it is', async () => {
    const hands = new Hands()
    const { source, processor, clock } = new Fixture({ concurrency: 4, retry: { backoffMs: 1_000 } }, hands.handler)
    const retries: RetryEvent[] = []
    processor.on('retry', (event) => retries.push(event))
    source.add(0, [
      { key: 'a', value: 'a1' },
      { key: 'b', value: 'b1' },
      { key: 'a', value: 'a2' },
      { key: 'b', value: 'b2' },
    ])
    await settle()
    expect(hands.values).toEqual(['a1', 'b1'])
    const error = new Error('no')
    await hands.fail(0, error)
    await hands.succeed(1)
    await hands.succeed(2)
    expect(hands.values).toEqual(['a1', 'b1', 'b2'])
    expect(retries).toEqual([expect.objectContaining({ error, attempt: 1 })])
    const { delayMs } = retries[0]!
    clock.advance(delayMs - 1)
    await settle()
    expect(hands.begun).toHaveLength(3)
    clock.advance(2)
    await settle()
    expect(hands.begun.at(-1)).toMatchObject({ attempt: 2 })
    expect(hands.values.at(-1)).toBe('a1')
    await hands.succeed(3)
    await hands.succeed(4)
    expect(source.positions.get(0)).toBe(4)
    await processor.close()
    expect(clock.pending).toBe(0)
  })

  test('is not had by an error that says so, nor by a record that cannot be decoded', async () => {
    const fixture = new Fixture({ deadLetterTopic: 'mail.dlt' }, () => {
      throw Object.assign(new Error('no'), { retriable: false })
    })
    const events: DeadLetterEvent[] = []
    fixture.processor.on('deadLetter', (event) => events.push(event))
    fixture.source.add(0, [{ value: 'x' }, { value: NOT_TEXT }])
    await fixture.processor.drained()
    expect(fixture.letters.map(({ attempts, record }) => [record.offset, attempts])).toEqual([
      [0, 1],
      [1, 0],
    ])
    expect(fixture.letters[1]!.error).toMatchObject({ code: 'DESERIALIZATION' })
    expect(events.map(({ attempts }) => attempts)).toEqual([1, 0])
    expect(fixture.source.positions.get(0)).toBe(2)
    await fixture.processor.close()
  })
})

describe('a dead letter', () => {
  test('settles its record when it is acknowledged, and not before', async () => {
    const fixture = new Fixture({ retry: { attempts: 1 }, deadLetterTopic: 'dlt', order: 'partition', concurrency: 3 }, (record) => {
      if (record.value === '0') throw new Error('poison')
    })
    fixture.acknowledges = false
    fixture.source.add(0, records(3))
    await settle()
    expect(fixture.letters).toHaveLength(1)
    expect(fixture.source.positions.size).toBe(0)
    fixture.letters[0]!.acknowledge()
    await settle()
    expect(fixture.source.positions.get(0)).toBe(3)
    await fixture.processor.close()
  })

  test('that cannot be written ends the processing', async () => {
    const fixture = new Fixture({ retry: { attempts: 1 }, deadLetterTopic: 'dlt' }, () => Promise.reject(new Error('poison')))
    fixture.acknowledges = false
    const { closed } = fixture.processor
    fixture.source.add(0, records(1))
    await settle()
    fixture.letters[0]!.refuse(new MillraceError('MESSAGE_TOO_LARGE', 'too large'))
    await expect(closed).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      message: 'the record of topic-1-0 at offset 0 was given up (poison), and its dead letter cannot be written: too large',
    })
    expect(fixture.source.positions.size).toBe(0)
    await fixture.processor.close()
  })

  test("carries the record's own headers, and says where it came from and why", () => {
    const headers = new Map([['trace', new TextEncoder().encode('t1')]])
    const record = {
      topic: 'mail',
      partition: 2,
      offset: 41,
      timestamp: 1_700_000_000_000,
      headers: [...headers].map(([key, value]) => ({ key, value })),
    } as unknown as ConsumerRecord
    const error = new MillraceError('CLOSED', 'x'.repeat(2_000))
    expect(deadLetterHeaders(record, error, 5, 'mailers')).toEqual([
      ['trace', headers.get('trace')],
      ['millrace.dlt.topic', 'mail'],
      ['millrace.dlt.partition', '2'],
      ['millrace.dlt.offset', '41'],
      ['millrace.dlt.timestamp', '1700000000000'],
      ['millrace.dlt.group', 'mailers'],
      ['millrace.dlt.attempts', '5'],
      ['millrace.dlt.error.name', 'MillraceError'],
      ['millrace.dlt.error.code', 'CLOSED'],
      ['millrace.dlt.error.message', 'x'.repeat(1_000)],
    ])
    expect(deadLetterHeaders(record, 'thrown text', 0, undefined).slice(5)).toEqual([
      ['millrace.dlt.attempts', '0'],
      ['millrace.dlt.error.name', 'Error'],
      ['millrace.dlt.error.message', 'thrown text'],
    ])
  })
})

describe('without a dead-letter topic', () => {
  const poisoned = (): Fixture =>
    new Fixture({ retry: { attempts: 1 }, concurrency: 2 }, (record) => {
      if (record.value === '1') throw new Error('poison')
    })

  test('a record that is given up ends the processing, and drained and closed say why', async () => {
    const { source, processor } = poisoned()
    const { closed } = processor
    const drained = processor.drained()
    source.add(0, records(5))
    const failure = {
      code: 'PROCESSING_FAILED',
      message:
        'the record of topic-1-0 at offset 1 was given up after 1 attempt(s): poison. It is not settled: ' +
        'mend the handler, or name a deadLetterTopic that takes such records',
    }
    await expect(drained).rejects.toMatchObject(failure)
    await expect(closed).rejects.toMatchObject(failure)
    await expect(processor.drained()).rejects.toMatchObject(failure)
    await processor.close()
    // What was settled before it is committed, and nothing behind.
    expect(source.positions.get(0)).toBe(1)
    expect(source.closedWithMs).toBeDefined()
  })

  test('an error event says why', async () => {
    const { source, processor } = poisoned()
    const errors: Error[] = []
    processor.on('error', (error) => errors.push(error))
    source.add(0, records(5))
    await settle()
    expect(errors).toEqual([expect.objectContaining({ code: 'PROCESSING_FAILED', cause: new Error('poison') })])
    await processor.close()
  })

  test('whoever closes meanwhile is told', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({ retry: { attempts: 1 } }, hands.handler)
    source.add(0, records(1))
    await settle()
    const closing = processor.close()
    await hands.fail(0, new Error('poison'))
    await expect(closing).rejects.toMatchObject({ code: 'PROCESSING_FAILED' })
  })

  test('where nobody listens, it is an uncaught exception', async () => {
    const caught: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => caught.push(error))
    try {
      const { source, processor } = poisoned()
      source.add(0, records(5))
      await settle()
      await processor.close()
      expect(caught).toEqual([expect.objectContaining({ code: 'PROCESSING_FAILED' })])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })
})

test('what reading fails with ends the processing', async () => {
  const { source, processor } = new Fixture({}, () => undefined)
  const { closed } = processor
  await settle()
  source.fail(new MillraceError('UNKNOWN_TOPIC_ID', 'deleted'))
  await expect(closed).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
  await processor.close()
})

test('a dead-letter topic that cannot be had fails before the first record', async () => {
  const letters = (): Promise<DeadLetters> => Promise.reject(new MillraceError('INVALID_CONFIG', 'no'))
  let begun = 0
  const { source, processor } = new Fixture({}, () => begun++, letters)
  const { closed } = processor
  source.add(0, records(1))
  await expect(closed).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  await processor.close()
  expect(begun).toBe(0)
})

describe('drained', () => {
  test('waits for what was there, and not for what comes', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({ concurrency: 2, order: 'none' }, hands.handler)
    source.add(0, records(2))
    let isDrained = false
    const drained = processor.drained().then(() => (isDrained = true))
    await settle()
    source.add(0, records(2))
    await hands.succeed(0)
    expect(isDrained).toBe(false)
    await hands.succeed(1)
    await drained
    expect(hands.begun).toHaveLength(4)
    await hands.succeed(2)
    await hands.succeed(3)
    await processor.close()
  })

  test('counts what is revoked as somebody else’s', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({}, hands.handler)
    source.add(0, records(2))
    await settle()
    const drained = processor.drained()
    await settle()
    source.revoke(0)
    await drained
    await hands.succeed(0)
    await processor.close()
  })

  test('ends with its signal, and with the processing', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({}, hands.handler)
    source.add(0, records(1))
    const controller = new AbortController()
    const drained = processor.drained({ signal: controller.signal })
    const other = processor.drained()
    controller.abort(new Error('enough'))
    await expect(drained).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') })
    await settle()
    const closing = processor.close()
    await hands.succeed(0)
    await Promise.all([closing, other.catch(() => undefined)])
    await expect(processor.drained()).rejects.toMatchObject({ code: 'CLOSED' })
    await processor.closed
  })
})

describe('a partition that is revoked', () => {
  test('drops what waits, fires the signals of what runs, and the others go on', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({ concurrency: 2, order: 'partition' }, hands.handler)
    source.add(0, records(3))
    source.add(1, records(2))
    await settle()
    expect(hands.begun.map(({ record }) => record.partition)).toEqual([0, 1])
    source.revoke(0)
    expect(hands.begun.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(hands.begun[0]!.signal.reason).toMatchObject({ code: 'ABORTED' })
    // What it does all the same settles nothing, and is tried no more.
    await hands.fail(0, new Error('aborted'))
    await hands.succeed(1)
    await hands.succeed(2)
    expect(hands.begun.map(({ record }) => record.partition)).toEqual([0, 1, 1])
    expect([...source.positions]).toEqual([[1, 2]])
    expect([processor.running, processor.inFlight]).toEqual([0, 0])
    await processor.close()
  })

  test('and comes back is read from where it then begins', async () => {
    const hands = new Hands()
    const { source, processor } = new Fixture({}, hands.handler)
    source.add(0, records(3))
    await settle()
    source.revoke(0)
    await hands.succeed(0)
    source.add(0, records(3), { from: 0 })
    await settle()
    await hands.succeed(1)
    expect(source.positions.get(0)).toBe(1)
    expect(hands.values).toEqual(['0', '0', '1'])
    await hands.succeed(2)
    await hands.succeed(3)
    await processor.close()
  })
})

describe('close', () => {
  test('lets what runs end, and starts nothing', async () => {
    const hands = new Hands()
    const fixture = new Fixture({ concurrency: 2, order: 'none' }, hands.handler)
    fixture.source.add(0, records(5))
    await settle()
    const closing = fixture.processor.close({ timeoutMs: 10_000 })
    await hands.succeed(0)
    expect(hands.begun).toHaveLength(2)
    fixture.clock.advance(4_000)
    await hands.succeed(1)
    await closing
    expect(hands.begun.some(({ signal }) => signal.aborted)).toBe(false)
    expect(fixture.source.positions.get(0)).toBe(2)
    expect(fixture.source.closedWithMs).toBe(6_000)
    expect(fixture.isOver).toBe(true)
    expect(fixture.clock.pending).toBe(0)
  })

  test('fires the signals of what takes longer, and ends', async () => {
    const hands = new Hands()
    const { source, processor, clock } = new Fixture({ concurrency: 2, order: 'none' }, hands.handler)
    source.add(0, records(5))
    await settle()
    const closing = processor.close({ timeoutMs: 1_000 })
    await hands.succeed(0)
    clock.advance(1_000)
    await closing
    // What ended in time is over, and its signal with it.
    expect(hands.begun.map(({ signal }) => signal.aborted)).toEqual([false, true])
    expect(source.positions.get(0)).toBe(1)
    // What is settled is committed all the same.
    expect(source.closedWithMs).toBe(1_000)
    // Too late: it comes again.
    await hands.succeed(1)
    expect(source.positions.get(0)).toBe(1)
  })

  test('waits for dead letters that are on their way', async () => {
    const fixture = new Fixture({ retry: { attempts: 1 }, deadLetterTopic: 'dlt' }, () => Promise.reject(new Error('poison')))
    fixture.acknowledges = false
    fixture.source.add(0, records(3, 'a'))
    await settle()
    let isClosed = false
    const closing = fixture.processor.close().then(() => (isClosed = true))
    await settle()
    expect(isClosed).toBe(false)
    fixture.letters[0]!.acknowledge()
    await closing
    expect(fixture.source.positions.get(0)).toBe(1)
    expect(fixture.letters).toHaveLength(1)
  })

  test('forgets retries that wait', async () => {
    const { source, processor, clock } = new Fixture({}, () => Promise.reject(new Error('no')))
    source.add(0, records(1))
    await settle()
    expect(clock.pending).toBe(1)
    await processor.close()
    expect(clock.pending).toBe(0)
  })

  test('says that what is settled could not be committed', async () => {
    const { source, processor } = new Fixture({}, () => undefined)
    source.closeFails = new MillraceError('COORDINATOR_NOT_AVAILABLE', 'no')
    await expect(processor.close()).rejects.toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE' })
  })

  test('comes by itself when the source ends', async () => {
    const { source, processor } = new Fixture({}, () => undefined)
    await settle()
    await source.close(0)
    await processor.closed
  })
})

test('paused, nothing is begun until it is resumed', async () => {
  const hands = new Hands()
  const { source, processor } = new Fixture({}, hands.handler)
  source.add(0, records(3))
  await settle()
  processor.pause()
  await hands.succeed(0)
  expect([hands.begun.length, processor.paused, source.positions.get(0)]).toEqual([1, true, 1])
  processor.resume()
  await settle()
  expect([hands.begun.length, processor.paused]).toEqual([2, false])
  await hands.succeed(1)
  await hands.succeed(2)
  await processor.close()
})

test('a partition whose batch is not taken to its end gives way to the others', async () => {
  const hands = new Hands()
  const { source, processor } = new Fixture({ concurrency: 2, order: 'partition' }, hands.handler)
  source.add(0, records(2))
  source.add(0, records(2))
  await settle()
  expect([hands.begun.length, [...source.held], source.waiting]).toEqual([1, [0], 1])
  source.add(1, records(1))
  await settle()
  expect(hands.begun.map(({ record }) => record.partition)).toEqual([0, 1])
  await hands.succeed(0)
  await hands.succeed(1)
  await hands.succeed(2)
  expect(hands.begun.at(-1)!.record.offset).toBe(2)
  await hands.succeed(3)
  await hands.succeed(4)
  expect([source.positions.get(0), source.positions.get(1)]).toEqual([4, 1])
  await processor.close()
})
