import { expect, test } from 'vitest'
import { string } from '../../src/index.ts'
import { testMillrace } from '../../src/testing.ts'

test('with threads and in real time the kit is the same', async () => {
  const kit = await testMillrace({ logLevel: 'silent' })
  const topic = await kit.millrace.topic('t', { value: string(), partitions: 2 })
  const consumer = kit.millrace.consumer({ groupId: 'g', autoCommitIntervalMs: 50 })
  const seen: string[] = []
  const reading = (async () => {
    for await (const { value } of consumer.records(topic)) seen.push(value)
  })()
  await kit.waitForAssignment('g', 1)
  await kit.produce(topic, [{ value: 'a' }, { value: 'b' }])
  await kit.produce('t', [{ value: 'c' }])
  await kit.expectRecords(topic, [{ value: 'a' }, { value: 'b' }])
  await kit.waitForLag('g', 0)
  await kit.waitFor(() => seen.length === 3)
  await expect(kit.expectRecords(topic, [{ value: 'd' }], { timeoutMs: 20 })).rejects.toThrow(/within 20 ms: topic "t" has 3 record\(s\)/)
  await expect(kit.until(new Promise(() => undefined), { timeoutMs: 20 })).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
  await expect(kit.close()).rejects.toThrow(/consumer of group "g", made at .*real-threads\.test\.ts/)
  await reading.catch(() => undefined)
})
