// The program that every form of the package must run: two brokers on worker threads,
// a few records through them, and an end by itself.

export const HELLO_RECORDS = 20

export interface HelloOptions {
  /** What the program imports millrace from. */
  readonly from: string
  /** The worker's file beside the program, where a bundler moved it. */
  readonly worker?: string
}

export function helloProgram({ from, worker }: HelloOptions): string {
  const options = worker === undefined ? '{ brokers: 2 }' : `{ brokers: 2, workerUrl: new URL('${worker}', import.meta.url) }`
  return `import { openMillrace, string } from '${from}'

const millrace = await openMillrace(${options})
const greetings = await millrace.topic('greetings', { partitions: 4, value: string() })
const producer = millrace.producer()
const sent = []
for (let i = 0; i < ${HELLO_RECORDS}; i++) sent.push(producer.send(greetings, { key: 'key ' + i, value: 'hello ' + i }))
await Promise.all(sent)
const seen = []
for await (const record of millrace.consumer().records(greetings, { until: 'end' })) seen.push(record.value)
await millrace.close()
console.log(JSON.stringify(seen.sort()))
`
}

/** What the program prints. */
export function helloOutput(): string[] {
  return Array.from({ length: HELLO_RECORDS }, (_, i) => `hello ${i}`).sort()
}
