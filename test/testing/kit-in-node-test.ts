// The kit in the test runner of Node.js: `node-test.test.ts` runs this file by `node --test`.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { string } from '../../src/index.ts'
import { testMillrace } from '../../src/testing.ts'
import type { InlineMillrace } from '../../src/testing.ts'

let kit: InlineMillrace

before(async () => {
  kit = await testMillrace({ inline: true })
})

after(() => kit.close())

void test('a group reads what was sent', async () => {
  const topic = await kit.millrace.topic('t', { value: string() })
  const consumer = kit.millrace.consumer({ groupId: 'g' })
  const seen: string[] = []
  const reading = (async () => {
    for await (const { value } of consumer.records(topic)) seen.push(value)
  })()
  await kit.produce(topic, [{ value: 'a' }])
  await kit.waitForLag('g', 0)
  assert.deepEqual(seen, ['a'])
  await consumer.close()
  await reading
})

void test('an hour passes in no time', async () => {
  const startMs = kit.nowMs
  await kit.advance(3_600_000)
  assert.equal(kit.nowMs - startMs, 3_600_000)
})
