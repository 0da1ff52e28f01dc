// A log file into a topic, line by line, and out of it again into a file: Node.js streams on
// both sides, and neither file in memory.
//
//   node examples/log-file/main.ts [FILE]

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { openMillrace, string } from '../../src/index.ts' // in your code: from 'millrace'
import type { ProducerRecord } from '../../src/index.ts'
import { readableFrom, sendAll } from '../../src/streams.ts' // from 'millrace/streams'

const file = process.argv[2] ?? new URL('../data/access.log.gz', import.meta.url).pathname

const millrace = await openMillrace()
const lines = await millrace.topic('access-log', { partitions: 3, value: string() })

/** Keyed by client, so that the lines of one keep their order. */
async function* recordsOf(path: string): AsyncGenerator<ProducerRecord<string | null, string>> {
  const input = createReadStream(path)
  const text = path.endsWith('.gz') ? input.pipe(createGunzip()) : input
  for await (const value of createInterface({ input: text })) yield { key: value.split(' ', 1)[0]!, value }
}

const { records } = await sendAll(lines, recordsOf(file))
console.log(`${records} lines are in the topic`)

// The errors of it, into a file of their own.
const folder = await mkdtemp(`${tmpdir()}/millrace-`)
const errors = `${folder}/errors.log`
await pipeline(
  readableFrom(lines, { until: 'end' }),
  async function* (read) {
    for await (const { value } of read) if (/" [45]\d\d /.test(value)) yield `${value}\n`
  },
  createWriteStream(errors),
)

let count = 0
const found = createInterface({ input: createReadStream(errors) }).on('line', () => count++)
await once(found, 'close')
console.log(`${count} of them tell of an error`)
await rm(folder, { recursive: true })
await millrace.close()

// Output:
// 10000 lines are in the topic
// 220 of them tell of an error
