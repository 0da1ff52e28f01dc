// Alone in its file: the warning is given once a process.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { delay, lastValueFrom, tap, toArray } from 'rxjs'
import { expect, test } from 'vitest'
import { openMillrace, string } from '../../src/index.ts'
import { fromTopic } from '../../src/rxjs.ts'

test('a record that is read for the first time after it was settled is warned of, once', async () => {
  const millrace = await openMillrace({ logMemoryBytes: 16 * 1024 * 1024 })
  const topic = await millrace.topic('late-touch', { value: string() })
  await millrace.producer().sendAll(
    topic,
    Array.from({ length: 20 }, () => ({ value: 'v' })),
  )
  const warnings: Error[] = []
  const hear = (warning: Error): void => void warnings.push(warning)
  process.on('warning', hear)

  // What was touched in its call, or is held, or not tracked, may be read at any time.
  const touched = await lastValueFrom(
    fromTopic(topic, { until: 'end' }).pipe(
      tap(({ value }) => value),
      toArray(),
    ),
  )
  expect(touched.map(({ key, value }) => [key, value])).toHaveLength(20)
  const untracked = await lastValueFrom(fromTopic(topic, { until: 'end', lossless: false }).pipe(toArray()))
  expect(untracked.map(({ value }) => value)).toHaveLength(20)
  await nextTurn()
  expect(warnings).toEqual([])

  const late = await lastValueFrom(fromTopic(topic, { until: 'end' }).pipe(delay(1), toArray()))
  expect(late.map(({ value }) => value)).toHaveLength(20)
  await nextTurn()
  process.off('warning', hear)
  const message = expect.stringContaining('a record of topic late-touch was first read after it was settled') as string
  expect(warnings).toMatchObject([{ name: 'MillraceWarning', message }])
  await millrace.close()
})
