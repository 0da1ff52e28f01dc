// A process whose subscriber throws at record 20, once: `node throwing-child.ts <data directory> <mode>`.
// 'throw': nobody catches it. 'survive': an `uncaughtException` listener does. 'read': nothing is thrown.

import { json, openMillrace } from '../../../src/index.ts'
import { fromTopic } from '../../../src/rxjs.ts'

const [dataDir, mode] = process.argv.slice(2) as [string, 'throw' | 'survive' | 'read']
if (mode === 'survive') process.on('uncaughtException', () => undefined)
const millrace = await openMillrace({ dataDir, brokers: 1, logMemoryBytes: 16 * 1024 * 1024 })
const topic = await millrace.topic('numbers', { value: json<number>() })
if (mode !== 'read')
  await millrace.producer().sendAll(
    topic,
    Array.from({ length: 100 }, (_, value) => ({ value })),
  )

// What is settled is committed as soon as it may be.
const source = fromTopic(topic, { groupId: 'readers', autoCommitIntervalMs: 0, until: 'end' })
await new Promise<void>((resolve, reject) => {
  source.subscribe({
    next: (record) => {
      process.stdout.write(`seen ${record.value}\n`)
      if (mode !== 'read' && record.value === 20) throw new Error('thrown at 20')
    },
    error: reject,
    complete: resolve,
  })
})
for (let offset: number | undefined; offset !== 100; ) {
  offset = (await millrace.admin.listGroupOffsets('readers')).find(({ partition }) => partition === 0)?.offset
  await new Promise(setImmediate)
}
process.stdout.write('committed 100\n')
await millrace.close()
