import { describe, expect, test } from 'vitest'
import { bytes, json, openMillrace, string } from '../../src/index.ts'

describe('the road of a record', () => {
  test('hello', async () => {
    const millrace = await openMillrace()
    const greetings = await millrace.topic('greetings', { value: string() })
    const sent = await millrace.producer().send(greetings, { value: 'hello' })
    expect(sent).toMatchObject({ topic: 'greetings', partition: 0, offset: 0 })
    const seen: string[] = []
    for await (const record of millrace.consumer().records(greetings, { until: 'end' })) seen.push(record.value)
    expect(seen).toEqual(['hello'])
    await millrace.close()
  })

  test('many records over several brokers and partitions keep their order within a key', async () => {
    const millrace = await openMillrace({ brokers: 3 })
    const topic = await millrace.topic('clicks', { partitions: 5, key: string(), value: json<{ n: number }>() })
    const producer = millrace.producer()
    for (let n = 0; n < 20_000; n++) while (!producer.offer(topic, `user-${n % 97}`, { n })) await producer.drained()
    await producer.flush()
    const last = new Map<string, number>()
    let count = 0
    for await (const batch of millrace.consumer().batches(topic, { until: 'end' })) {
      for (const record of batch) {
        expect(record.value.n).toBeGreaterThan(last.get(record.key) ?? -1)
        last.set(record.key, record.value.n)
        count++
      }
    }
    expect(count).toBe(20_000)
    expect(last.size).toBe(97)
    await millrace.close()
  })

  test('a waiting consumer sees records as they come', async () => {
    const millrace = await openMillrace()
    const topic = await millrace.topic('live', { value: bytes() })
    const producer = millrace.producer()
    const consumer = millrace.consumer()
    const iterator = consumer.records(topic)
    for (let i = 0; i < 5; i++) {
      const next = iterator.next()
      await producer.send(topic, { value: Uint8Array.of(i) })
      const { value } = await next
      expect([...value!.value]).toEqual([i])
    }
    await iterator.return!()
    await millrace.close()
  })
})
