// Log files of several servers go into one topic, in the order in which their lines were
// written. Out of it comes the error rate of each section of the site, for each half day of the
// time in the lines. A line that cannot be parsed goes to a topic of its own.
//
//   node examples/log-aggregation/main.ts [FILE …]         access logs, plain or .gz

import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { lastValueFrom, tap } from 'rxjs'
import { openMillrace, string } from '../../src/index.ts' // in your code: from 'millrace'
import { aggregate, deadLetter, fromTopic, keyBy, mapValue, reduce, tumbling } from '../../src/rxjs.ts' // from 'millrace/rxjs'
import { sendAll } from '../../src/streams.ts' // from 'millrace/streams'
import { formatMinute, formatNumber, printable } from '../user-activity/format.ts'
import { parseLine } from '../user-activity/parse-line.ts'
import type { Visit } from '../user-activity/parse-line.ts'

/** Key: the server's name. Timestamp: the time in the line. */
type Line = Readonly<{ key: string; value: string; timestamp: number }>

const SAMPLE = fileURLToPath(new URL('../data/access.log.gz', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
const files = process.argv.length > 2 ? process.argv.slice(2) : await threeServers()
const millrace = await openMillrace()
// One partition: the lines of all servers in the order of their times. They are old: by age, all of them would go at once.
const lines = await millrace.topic('access-lines', { partitions: 1, key: string(), value: string(), config: { 'retention.ms': -1 } })
const malformed = await millrace.topic('access-lines.malformed', { key: string(), value: string() })
const sent = await sendAll(lines, byTime(files.map(readLines)))
console.log(`${formatNumber(sent.records)} lines of ${files.map((file) => basename(file)).join(', ')}\n`)
let [requests, late, shownMs] = [0, 0, Number.NaN]
console.log('window            section            requests   errors')
const rates = fromTopic(lines, { groupId: 'error-rate', until: 'end' }).pipe(
  deadLetter(malformed.name, mapValue(parse)),
  keyBy(({ value }) => /^\/[^/?]+\//.exec(value.path)?.[0] ?? '/'),
  // The same section may come in any partition: behind keyBy, records go through a topic of the group's own.
  aggregate(
    tumbling({ sizeMs: 12 * 3_600_000, graceMs: 60_000 }),
    reduce({ requests: 0, errors: 0 }, (so, { value }) => ({ requests: so.requests + 1, errors: so.errors + Number(value.status >= 400) })),
    { emit: 'close', late: () => late++ },
  ),
  tap(({ key: { key: section, window }, value }) => {
    requests += value.requests
    if (value.requests < 20) return // counted, not shown
    const from = window.startMs === shownMs ? '' : formatMinute((shownMs = window.startMs))
    const rate = `${((100 * value.errors) / value.requests).toFixed(1)} %`
    console.log(`${from.padEnd(16)}  ${section.padEnd(16)} ${formatNumber(value.requests).padStart(10)} ${rate.padStart(8)}`)
  }),
)
await lastValueFrom(rates, { defaultValue: undefined })

const letters: string[] = []
for await (const { key, headers } of millrace.consumer().records(malformed, { until: 'end' }))
  letters.push(`${key}: ${printable(headers.get('millrace.dlt.error.message') ?? '', 60)}`)
if (letters.length > 0) console.log(`\nmalformed:\n  ${letters.slice(0, 10).join('\n  ')}`)
const isProven = requests + late + letters.length === sent.records
console.log(`\n${formatNumber(requests)} counted + ${late} late + ${letters.length} malformed ${isProven ? '=' : 'IS NOT'} all lines`)
process.exitCode = isProven ? 0 : 1
await millrace.close()
await rm(folder, { recursive: true })

function parse(line: string): Visit {
  const parsed = parseLine(line)
  if ('malformed' in parsed) throw new Error(parsed.malformed)
  return parsed.visit
}

/** One log told apart by client, as three servers behind a load balancer would have written it. */
async function threeServers(): Promise<string[]> {
  const outputs = [1, 2, 3].map((server) => createWriteStream(join(folder, `www-${server}.log`)))
  for await (const { value } of readLines(SAMPLE)) outputs[value.charCodeAt(value.indexOf(' ') - 1) % 3]!.write(`${value}\n`)
  await Promise.all(outputs.map((output) => new Promise((resolve) => void output.end(resolve))))
  return outputs.map(({ path }) => String(path))
}

/** A line that tells no time has that of the one before. */
async function* readLines(path: string): AsyncGenerator<Line> {
  const input = path.endsWith('.gz') ? createReadStream(path).pipe(createGunzip()) : createReadStream(path)
  let timestamp = 0
  for await (const value of createInterface({ input })) {
    const parsed = parseLine(value)
    if ('timestampMs' in parsed) timestamp = parsed.timestampMs
    yield { key: basename(path, '.log'), value, timestamp }
  }
}

/** The next line of those that have one is the one that was written first. */
async function* byTime(readers: readonly AsyncGenerator<Line>[]): AsyncGenerator<Line> {
  const open = await Promise.all(readers.map(async (reader) => ({ reader, head: await reader.next() })))
  for (;;) {
    const [first] = open.filter(({ head }) => head.done !== true).sort((a, b) => a.head.value.timestamp - b.head.value.timestamp)
    if (first === undefined) return
    yield first.head.value
    first.head = await first.reader.next()
  }
}
