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
import type { ParsedLine } from './parse-line.ts'
import { parseLine } from './parse-line.ts'
import { Progress } from './progress.ts'
import { activityBytes, malformedLines, userActivity } from './topics.ts'

interface BadLine {
  readonly number: number
  readonly reason: string
  readonly text: string
}

const { handle, progress: progressBuffer, aheadBytesMax } = workerData as ProducerData
const port = parentPort!
const progress = new Progress(progressBuffer)
const ledger = new ClientLedger()
const millrace = await attachMillrace(handle)
const activity = await millrace.topic(userActivity)
const malformed = await millrace.topic(malformedLines)
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
  const { parsed, bad, firstMs, lastMs } = parseChunk(message.chunk)
  const parsedMs = performance.now()
  const waitedBeforeMs = waitedMs
  await offerAll(parsed, message.shiftMs)
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

function parseChunk({ bytes, ends, numbers }: LineChunk) {
  const text = Buffer.from(bytes.buffer)
  const parsed: ParsedLine[] = []
  const bad: BadLine[] = []
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  let start = 0
  for (let at = 0; at < ends.length; at++) {
    const line = text.toString('utf8', start, ends[at])
    const tooLong = ends[at]! - start > LINE_BYTES_MAX
    const result = tooLong ? { malformed: `it is longer than ${LINE_BYTES_MAX} bytes; only its beginning is kept` } : parseLine(line)
    start = ends[at]!
    if ('malformed' in result) {
      bad.push({ number: numbers[at]!, reason: result.malformed, text: line })
      continue
    }
    parsed.push(result)
    firstMs = Math.min(firstMs, result.timestampMs)
    lastMs = Math.max(lastMs, result.timestampMs)
  }
  return { parsed, bad, firstMs, lastMs }
}

/** The hot loop: no promise for a record, unless something is full. */
async function offerAll(lines: readonly ParsedLine[], shiftMs: number): Promise<void> {
  for (const { client, timestampMs, visit } of lines) {
    const value = { ...visit, sequence: ledger.nextSequence(client) }
    const timestamp = timestampMs + shiftMs
    if (progress.aheadBytes() > aheadBytesMax) await waitForConsumers()
    while (!producer.offer(activity, client, value, { timestamp })) await producer.drained()
    progress.addOffered(activityBytes(client, value))
    ledger.add(client, timestamp, value)
  }
}

async function offerMalformed(lines: readonly BadLine[], input: string): Promise<void> {
  malformedCount += lines.length
  for (const { number, reason, text } of lines) {
    const headers = { input, line: String(number), reason }
    while (!producer.offer(malformed, null, text, { headers })) await producer.drained()
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
