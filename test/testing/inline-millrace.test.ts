// The test kit in virtual time: what a user writes with it, and that its time, its faults and its seeds are what they are said to be.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { attachMillrace, string } from '../../src/index.ts'
import { testMillrace } from '../../src/testing.ts'
import type { InlineMillrace, TestMillraceOptions } from '../../src/testing.ts'

let kits: InlineMillrace[] = []

async function open(options: TestMillraceOptions = {}): Promise<InlineMillrace> {
  const kit = await testMillrace({ logLevel: 'silent', leakCheck: false, ...options, inline: true })
  kits.push(kit)
  return kit
}

afterEach(async () => {
  await Promise.all(kits.map((kit) => kit.close()))
  kits = []
})

describe('records', () => {
  test('plain ones go in and come out, by the name of their topic', async () => {
    const kit = await open()
    const sent = await kit.produce('orders', [
      { key: '1', value: '{}' },
      { key: '2', value: { total: 12, lines: [1, 2] }, headers: { source: 'web' } },
      { key: null, value: 'text' },
      { key: '3', value: null },
      { value: new Uint8Array([255, 0]) },
    ])
    expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4])
    const records = await kit.records('orders')
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ['1', {}],
      ['2', { total: 12, lines: [1, 2] }],
      [null, 'text'],
      ['3', null],
      [null, new Uint8Array([255, 0])],
    ])
    expect(records[1]).toMatchObject({ topic: 'orders', partition: 0, offset: 1, timestamp: kit.nowMs, headers: { source: 'web' } })
    await kit.expectRecords('orders', [{ key: '1', value: '{}' }, { value: { total: 12 } }, { value: 'text' }])
    expect(await kit.records('nothing')).toEqual([])
  })

  test('those of a bound topic go by its serdes', async () => {
    const kit = await open()
    const counts = await kit.millrace.topic<string, number>('counts', { key: string(), partitions: 2 })
    await kit.produce(counts, [{ key: 'a', value: 1 }])
    const [record] = await kit.expectRecords(counts, [{ key: 'a', value: 1 }])
    expect(record!.value + 1).toBe(2)
  })

  test('those of several partitions are given by time', async () => {
    const kit = await open()
    const topic = await kit.millrace.topic('t', { partitions: 2, value: string() })
    for (const [partition, value] of [
      [1, 'a'],
      [0, 'b'],
      [1, 'c'],
    ] as const) {
      await kit.produce(topic, [{ partition, value }])
      await kit.advance(1)
    }
    expect((await kit.records(topic)).map(({ value }) => value)).toEqual(['a', 'b', 'c'])
  })

  test('a record that does not come is told of with what is there, in no real time', async () => {
    const kit = await open()
    await kit.produce('t', [{ key: 'a', value: 'x' }])
    const startMs = kit.nowMs
    const failure = await kit.expectRecords('t', [{ key: 'b' }], { timeoutMs: 3_600_000 }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: false })
    expect((failure as Error).message).toMatch(
      /within 3600000 ms: topic "t" has 1 record\(s\)[\s\S]*- \{ key: "b" \}[\s\S]*0@0 \{ key: "a"/,
    )
    expect(kit.nowMs - startMs).toBe(3_600_000)
  })

  test('exactly: others than the expected ones are told of at once', async () => {
    const kit = await open()
    await kit.produce('t', [{ value: 'a' }, { value: 'b' }])
    await kit.expectRecords('t', [{ value: 'a' }, { value: 'b' }], { exactly: true })
    const startMs = kit.nowMs
    await expect(kit.expectRecords('t', [{ value: 'a' }], { exactly: true })).rejects.toThrow(/has 2 record\(s\), and exactly 1/)
    expect(kit.nowMs).toBe(startMs)
  })
})

describe('groups', () => {
  test('one member goes, the other takes over', async () => {
    const kit = await open()
    const topic = await kit.millrace.topic('work', { partitions: 4, value: string() })
    const seen: string[][] = [[], []]
    const consumers = seen.map((own) => {
      const consumer = kit.millrace.consumer({ groupId: 'g' })
      void (async () => {
        for await (const { value } of consumer.records(topic)) own.push(value)
      })()
      return consumer
    })
    const group = await kit.waitForAssignment('g', 2)
    expect(group.members.map(({ assignment }) => assignment['work']?.length)).toEqual([2, 2])
    const produce = (round: number): Promise<unknown> =>
      kit.produce(
        topic,
        [0, 1, 2, 3].map((partition) => ({ partition, value: `${round}-${partition}` })),
      )
    await produce(1)
    await kit.waitForLag('g', 0)
    expect(seen.map(({ length }) => length)).toEqual([2, 2])
    await consumers[0]!.close()
    await kit.waitForAssignment('g', 1)
    await produce(2)
    await kit.waitForLag('g', 0)
    expect(seen[1]!.filter((value) => value.startsWith('2'))).toHaveLength(4)
    expect([...seen[0]!, ...seen[1]!].sort()).toEqual(['1-0', '1-1', '1-2', '1-3', '2-0', '2-1', '2-2', '2-3'])
  })

  test('minutes of back-off pass in no time', async () => {
    const kit = await open()
    await kit.produce('payments', [{ value: 'p-1' }])
    const payments = await kit.millrace.topic('payments', { value: string() })
    const attempts: number[] = []
    const startMs = kit.nowMs
    const consumer = kit.millrace.consumer({ groupId: 'billing' })
    const processing = consumer.process(payments, { retry: { attempts: 5, backoffMs: 60_000, backoffMaxMs: 600_000 } }, async () => {
      attempts.push(kit.nowMs - startMs)
      await kit.sleep(1_000)
      if (attempts.length < 4) throw new Error('the bank does not answer')
    })
    void processing
    await kit.waitForLag('billing', 0, { timeoutMs: 3_600_000 })
    expect(attempts).toHaveLength(4)
    const waits = attempts.slice(1).map((atMs, i) => atMs - attempts[i]! - 1_000)
    // Each twice the one before, a fifth more or less.
    for (const [i, waitMs] of waits.entries()) {
      expect(waitMs).toBeGreaterThanOrEqual(0.8 * 60_000 * 2 ** i - 1)
      expect(waitMs).toBeLessThanOrEqual(1.2 * 60_000 * 2 ** i + 1)
    }
  })

  test('what a group lacks is said', async () => {
    const kit = await open()
    await expect(kit.waitForLag('none', 0, { timeoutMs: 10 })).rejects.toThrow(
      'group "none" is more than 0 record(s) behind: there is no such group',
    )
    await kit.produce('t', [{ value: 'a' }, { value: 'b' }])
    const topic = await kit.millrace.topic('t', { value: string() })
    const consumer = kit.millrace.consumer({ groupId: 'g', autoCommit: false })
    void (async () => {
      for await (const _ of consumer.records(topic));
    })()
    await expect(kit.waitForLag('g', 1, { timeoutMs: 100 })).rejects.toThrow(
      'within 100 ms: group "g" is more than 1 record(s) behind: 2 of t-0',
    )
    await kit.waitForLag('g', 2)
    await expect(kit.waitForAssignment('g', 2, { timeoutMs: 100 })).rejects.toThrow(/of 2 member\(s\): it is Stable, with 1 member\(s\)/)
  })
})

describe('time', () => {
  test('stands still but for who moves it', async () => {
    const kit = await open({ startMs: 86_400_000 })
    const { timestamp } = await kit.produce('t', [{ value: 'a' }]).then(([first]) => first!)
    expect(timestamp).toBe(86_400_000)
    const slept: number[] = []
    for (const ms of [3_000, 1_000, 2_000]) void kit.sleep(ms).then(() => slept.push(kit.nowMs - 86_400_000))
    await kit.advance(2_500)
    expect(slept).toEqual([1_000, 2_000])
    expect(kit.nowMs).toBe(86_402_500)
    await kit.advance(500)
    expect(slept).toEqual([1_000, 2_000, 3_000])
  })

  test('a record that lingers is sent when its time has come', async () => {
    const kit = await open()
    const topic = await kit.millrace.topic('t', { value: string() })
    const sending = kit.millrace.producer({ lingerMs: 500 }).send(topic, { value: 'a' })
    await kit.advance(499)
    expect(await kit.records(topic)).toEqual([])
    await kit.advance(1)
    expect((await sending).offset).toBe(0)
  })

  test('until moves it as far as a promise needs', async () => {
    const kit = await open()
    const startMs = kit.nowMs
    expect(await kit.until(kit.sleep(7_000).then(() => 'done'))).toBe('done')
    expect(kit.nowMs - startMs).toBe(7_000)
    await expect(kit.until(kit.sleep(2_000), { timeoutMs: 1_000 })).rejects.toThrow('a promise was not settled within 1000 ms')
    await expect(kit.until(Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  })

  test('records go by retention in virtual days', async () => {
    const kit = await open()
    const topic = await kit.millrace.topic('t', { value: string(), config: { 'retention.ms': 86_400_000, 'segment.ms': 3_600_000 } })
    await kit.produce(topic, [{ value: 'old' }])
    await kit.advance(2 * 86_400_000)
    await kit.produce(topic, [{ value: 'new' }])
    await kit.advance(600_000)
    expect((await kit.records(topic)).map(({ value }) => value)).toEqual(['new'])
  })

  test('fake timers of a test do not stop it', async () => {
    vi.useFakeTimers()
    try {
      const kit = await open()
      await kit.produce('t', [{ value: 'a' }])
      await kit.advance(60_000)
      await kit.expectRecords('t', [{ value: 'a' }])
    } finally {
      vi.useRealTimers()
    }
  })

  test('no time at all is refused', async () => {
    const kit = await open()
    await expect(kit.advance(-1)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(kit.advance(Number.NaN)).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('faults', () => {
  test('the death of each broker loses nothing and doubles nothing', async () => {
    const kit = await open({ brokers: 3 })
    const topic = await kit.millrace.topic('t', { partitions: 6, value: string() })
    const seen: string[] = []
    const consumer = kit.millrace.consumer({ groupId: 'g' })
    void (async () => {
      for await (const { value } of consumer.records(topic)) seen.push(value)
    })()
    await kit.waitForAssignment('g', 1)
    const sent: string[] = []
    for (let broker = 0; broker < 3; broker++) {
      const round = [0, 1, 2, 3, 4, 5].map((partition) => ({ partition, value: `${broker}-${partition}` }))
      sent.push(...round.map(({ value }) => value))
      const sending = kit.produce(topic, round)
      kit.killBroker(broker)
      await kit.until(sending)
      await kit.advance(1_000)
    }
    await kit.waitForLag('g', 0)
    expect([...seen].sort()).toEqual([...sent].sort())
    expect(() => kit.killBroker(7)).toThrow('there is no broker 7 that runs')
  })
})

describe('determinism', () => {
  /** What happened, and when, in a run with deaths, a rebalance and retries. */
  async function trace(seed: number): Promise<string[]> {
    const kit = await open({ seed, brokers: 2 })
    const events: string[] = []
    const note = (what: string): void => void events.push(`${kit.nowMs} ${what}`)
    const topic = await kit.millrace.topic('t', { partitions: 3, value: string() })
    const consumers = [0, 1].map((i) => {
      const consumer = kit.millrace.consumer({ groupId: 'g' })
      void consumer.process(
        topic,
        { retry: { attempts: 4, backoffMs: 500, backoffMaxMs: 5_000 } },
        async ({ value, partition }, { attempt }) => {
          note(`${i} ${partition} ${value} attempt ${attempt}`)
          await kit.sleep(50)
          if (attempt < 3 && value.endsWith('5')) throw new Error('again')
        },
      )
      return consumer
    })
    for (let i = 0; i < 20; i++) {
      void kit.produce(topic, [{ value: `v${i}` }])
      if (i === 10) kit.killBroker(0)
      await kit.advance(200)
    }
    await consumers[0]!.close()
    await kit.waitForLag('g', 0)
    const { members } = await kit.waitForAssignment('g')
    note(members.map(({ memberId }) => memberId).join())
    return events
  }

  test('the same seed gives the same run, another one another', async () => {
    const first = await trace(7)
    expect(first.length).toBeGreaterThan(20)
    expect(await trace(7)).toEqual(first)
    expect(await trace(8)).not.toEqual(first)
  })
})

test('to open it takes less than 10 ms of a core, once its code has been loaded and run', async () => {
  const tookMs: number[] = []
  for (let i = 0; i < 30; i++) {
    const before = process.cpuUsage()
    const kit = await open()
    const { user, system } = process.cpuUsage(before)
    tookMs.push((user + system) / 1_000)
    await kit.close()
  }
  // What the collector takes meanwhile is not its own.
  expect(Math.min(...tookMs)).toBeLessThan(10)
})

describe('what is refused', () => {
  test('listen, files, wrong names, other threads', async () => {
    await expect(testMillrace({ inline: true, listen: true })).rejects.toThrow('an inline millrace has no sockets')
    await expect(testMillrace({ listen: true })).rejects.toThrow('Kafka clients cannot connect yet')
    await expect(testMillrace({ inline: true, dataDir: '/tmp/x' } as never)).rejects.toThrow('in memory')
    await expect(testMillrace({ inlined: true } as never)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    const kit = await open()
    const { Worker } = await import('node:worker_threads')
    const worker = new Worker(new URL('./attaching-thread.ts', import.meta.url), { workerData: kit.millrace.handle })
    const answer = await new Promise((resolve) => void worker.once('message', resolve))
    await worker.terminate()
    expect(answer).toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('no other thread can attach') })
  })

  test('in the same thread it can be attached to', async () => {
    const kit = await open()
    await kit.produce('t', [{ value: 'a' }])
    const attached = await attachMillrace(kit.millrace.handle)
    expect(await attached.admin.listTopics()).toEqual(['t'])
    await attached.close()
  })
})
