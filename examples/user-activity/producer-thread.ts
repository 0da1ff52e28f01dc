// A producer thread: lines in, records out.
//
// It attaches to the millrace that the main thread opened, parses the lines that
// main sends it, a chunk at a time, and offers each as a record. `offer` returns
// false while millrace has no room: then, and only then, the thread waits.

import { on } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { ClientLedger } from './client-ledger.ts'
import type { LineChunk } from './line-router.ts'
import { LINE_BYTES_MAX } from './line-router.ts'
import type { FromProducer, ProducerData, ToProducer } from './messages.ts'
import { parseLine } from './parse-line.ts'
import { Progress } from './progress.ts'
import type { UserActivity } from './topics.ts'
import { activityBytes, malformedLines, userActivity } from './topics.ts'

interface PageView {
  readonly client: string
  readonly timestampMs: number
  readonly activity: UserActivity
}

interface BadLine {
  readonly number: number
  readonly reason: string
  readonly text: string
}

const { handle, progress: progressBuffer, aheadBytesMax } = workerData as ProducerData
const TOO_LONG = { malformed: `it is longer than ${LINE_BYTES_MAX} bytes; only its beginning is kept` }

const port = parentPort!
const progress = new Progress(progressBuffer)
const ledger = new ClientLedger()
const millrace = await attachMillrace(handle)
const topic = await millrace.topic(userActivity)
const malformedTopic = await millrace.topic(malformedLines)
const producer = millrace.producer()
let malformedCount = 0
let parseMs = 0
let offerMs = 0
let waitedMs = 0

const messages = on(port, 'message') as AsyncIterable<[ToProducer]>
tell({ kind: 'ready' })
for await (const [message] of messages) {
  if (message.kind === 'end') break
  const startedMs = performance.now()
  const { views, bad, firstMs, lastMs } = parseChunk(message.chunk, message.shiftMs)
  const parsedMs = performance.now()
  const waitedBeforeMs = waitedMs
  await offerAll(views)
  await offerMalformed(bad, message.input)
  parseMs += parsedMs - startedMs
  offerMs += performance.now() - parsedMs - (waitedMs - waitedBeforeMs)
  tell({ kind: 'chunkDone', firstMs, lastMs })
}

const flushStartedMs = performance.now()
await producer.flush()
offerMs += performance.now() - flushStartedMs
tell({ kind: 'done', report: { malformed: malformedCount, totals: ledger.totals(), parseMs, offerMs, waitedMs } })
await millrace.close()

/** Lines to page views, each with the next number of its client; the times that come back are the lines', unshifted. */
function parseChunk({ bytes, ends, numbers }: LineChunk, shiftMs: number) {
  const text = Buffer.from(bytes.buffer)
  const views: PageView[] = []
  const bad: BadLine[] = []
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  let start = 0
  for (let at = 0; at < ends.length; at++) {
    const end = ends[at]!
    const line = text.toString('utf8', start, end)
    const result = end - start > LINE_BYTES_MAX ? TOO_LONG : parseLine(line)
    start = end
    if ('malformed' in result) {
      bad.push({ number: numbers[at]!, reason: result.malformed, text: line })
      continue
    }
    const { client, visit } = result
    const timestampMs = result.timestampMs + shiftMs
    const activity = { ...visit, sequence: ledger.nextSequence(client) }
    ledger.add(client, timestampMs, activity)
    views.push({ client, timestampMs, activity })
    firstMs = Math.min(firstMs, result.timestampMs)
    lastMs = Math.max(lastMs, result.timestampMs)
  }
  return { views, bad, firstMs, lastMs }
}

/** The hot loop: no promise for a record, unless something is full. */
async function offerAll(views: readonly PageView[]): Promise<void> {
  for (const { client, timestampMs, activity } of views) {
    if (progress.aheadBytes() > aheadBytesMax) await waitForConsumers()
    while (!producer.offer(topic, client, activity, { timestamp: timestampMs })) await producer.drained()
    progress.addOffered(activityBytes(client, activity))
  }
}

async function offerMalformed(lines: readonly BadLine[], input: string): Promise<void> {
  malformedCount += lines.length
  for (const { number, reason, text } of lines) {
    const headers = { input, line: String(number), reason }
    while (!producer.offer(malformedTopic, null, text, { headers })) await producer.drained()
  }
}

async function waitForConsumers(): Promise<void> {
  const startedMs = performance.now()
  await progress.room(aheadBytesMax)
  waitedMs += performance.now() - startedMs
}

function tell(message: FromProducer): void {
  port.postMessage(message)
}
