// A fresh process: how long the import takes, and how long until the first record is consumed.
// Started by start.ts with the module to load; prints one line of JSON and ends by itself.

interface Library {
  openMillrace(options: { brokers: number }): Promise<{
    topic(name: string, definition: { value: unknown }): Promise<unknown>
    producer(): { send(topic: unknown, record: { value: string }): Promise<unknown> }
    consumer(): { records(topic: unknown): AsyncIterable<{ value: unknown }> }
    close(): Promise<void>
  }>
  string(): unknown
}

export interface StartTimes {
  readonly importMs: number
  /** openMillrace called → resolved. */
  readonly openMs: number
  /** openMillrace called → the first record's value in the consumer's hands. */
  readonly firstRecordMs: number
  readonly closeMs: number
  readonly value: string
}

const module = process.argv[2]
if (module === undefined) throw new Error('give the URL of the module to load')

const importAt = performance.now()
const { openMillrace, string } = (await import(module)) as Library
const openAt = performance.now()
const millrace = await openMillrace({ brokers: 3 })
const openedAt = performance.now()
const topic = await millrace.topic('first', { value: string() })
await millrace.producer().send(topic, { value: 'hello' })
let value = ''
for await (const record of millrace.consumer().records(topic)) {
  value = String(record.value)
  break
}
const firstAt = performance.now()
await millrace.close()
const times: StartTimes = {
  importMs: openAt - importAt,
  openMs: openedAt - openAt,
  firstRecordMs: firstAt - openAt,
  closeMs: performance.now() - firstAt,
  value,
}
process.stdout.write(`${JSON.stringify(times)}\n`)
