import { Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { string } from '../../src/index.ts'
import { fromTopic, toTopic } from '../../src/rxjs.ts'
import { testMillrace } from '../../src/testing.ts'

test('what a test leaves open is named, with where it was made', async () => {
  const kit = await testMillrace({ inline: true })
  const topic = await kit.millrace.topic('t', { value: string() })
  kit.millrace.producer()
  kit.millrace.consumer({ groupId: 'g' })
  fromTopic(topic).subscribe()
  void kit.sleep(1_000)
  await kit.advance(10)
  const failure = (await kit.close().catch((error: unknown) => error)) as Error
  expect(failure).toMatchObject({ code: 'INVALID_REQUEST' })
  const [head, ...lines] = failure.message.split('\n')
  expect(head).toBe('the test has closed its millrace, and left open what it has to close itself:')
  const here = /made at .*leaks\.test\.ts:\d+/
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^ {2}- producer, /)
  expect(lines[1]).toMatch(/^ {2}- consumer of group "g", /)
  expect(lines[2]).toMatch(/^ {2}- subscription \(its consumer\), /)
  for (const line of lines.slice(0, 3)) expect(line).toMatch(here)
  expect(lines[3]).toBe("  - 1 timer(s) of the kit's clock")
  // It is closed all the same.
  expect(() => kit.millrace.producer()).toThrow(/is closed/)
})

test('what a test closes is no leak, and no timer is left', async () => {
  const kit = await testMillrace({ inline: true })
  const topic = await kit.millrace.topic('t', { value: string() })
  await kit.produce(topic, [{ value: 'a' }])
  const producer = kit.millrace.producer()
  const consumer = kit.millrace.consumer({ groupId: 'g' })
  const reading = (async () => {
    for await (const _ of consumer.records(topic));
  })()
  const subscription = fromTopic(topic).subscribe()
  const source = new Subject<{ value: string }>()
  const sink = source.pipe(toTopic(topic)).subscribe()
  source.next({ value: 'b' })
  await kit.waitForLag('g', 0)
  subscription.unsubscribe()
  sink.unsubscribe()
  await producer.close()
  await consumer.close()
  await reading
  await kit.close()
})

test('leakCheck: false does without', async () => {
  const kit = await testMillrace({ inline: true, leakCheck: false })
  kit.millrace.producer()
  await kit.close()
})
