// A process that writes lines to a log on disk, and may be killed at any time: started
// again with the same input, it goes on where it stopped.
//
//   zcat examples/data/access.log.gz | node examples/replay/writer.ts ./data
//
// How far it was it asks the log. What was acknowledged is there, and what was on its way
// may be, so a note beside the log would lag behind it, or run ahead. Here a line has one
// place, its number, and the end of the log is the first line that is missing. With several
// partitions, put the line's number into the record, and read the last record of each.

import { createInterface } from 'node:readline'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { parseLine } from '../user-activity/parse-line.ts'
import { accessLog } from './topic.ts'

const LINES_A_REPORT = 250

const millrace = await openMillrace({ dataDir: process.argv[2]! })
const topic = await millrace.topic(accessLog)
const producer = millrace.producer()
const [log] = await millrace.admin.listOffsets(accessLog.name, 'latest')
const found = log!.offset ?? 0
console.log(`found ${found}`)

let count = 0
let timestamp = 0
for await (const line of createInterface({ input: process.stdin })) {
  const parsed = parseLine(line)
  if ('timestampMs' in parsed) timestamp = parsed.timestampMs // a line without a time has that of the one before
  if (count++ < found) continue
  while (!producer.offer(topic, null, line, { timestamp })) await producer.drained()
  if (count % LINES_A_REPORT === 0) await acknowledged()
}
await acknowledged()
await millrace.close()

/** All lines so far are in the file of the log: from here on a kill takes none of them. */
async function acknowledged(): Promise<void> {
  await producer.flush()
  console.log(`acknowledged ${count}`)
}
