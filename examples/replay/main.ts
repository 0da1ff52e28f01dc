// A log on disk outlives its process. An access log is piped into a writer, the writer is
// killed in the middle (SIGKILL), and another one goes on where it stopped. Then this
// process opens the directory, replays from a time, and proves that each line is there once.
//
//   node examples/replay/main.ts

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { formatBytes, formatDuration, formatMinute, formatNumber, printable } from '../user-activity/format.ts'
import { accessLog } from './topic.ts'

const KILLED_AT = 5_000 // lines acknowledged
const ARRIVED_BY_THEN = 6_000 // the rest of the input comes later, so that it is the middle
const REPLAYED_FROM = Date.UTC(2015, 4, 19)

const text = gunzipSync(readFileSync(new URL('../data/access.log.gz', import.meta.url))).toString()
const lines = text.trimEnd().split('\n')
const dataDir = mkdtempSync(join(tmpdir(), 'millrace-replay-'))
try {
  console.log(`${formatNumber(lines.length)} lines (${formatBytes(text.length)}) of an access log go through a writer to ${dataDir}\n`)
  const first = await write(lines.slice(0, ARRIVED_BY_THEN), KILLED_AT)
  tell('writer 1', `killed (SIGKILL) when it had acknowledged ${formatNumber(first.acknowledged)} lines`)
  const second = await write(lines)
  const ahead = second.found - first.acknowledged
  const unheard = ahead > 0 ? `, ${formatNumber(ahead)} of them written and not acknowledged any more` : ''
  tell('writer 2', `found ${formatNumber(second.found)} lines in the log${unheard}`)
  tell('', `went on with line ${formatNumber(second.found + 1)}, up to line ${formatNumber(second.acknowledged)}`)
  showFiles()
  process.exitCode = (await readBack(second.acknowledged)) ? 0 : 1
} finally {
  rmSync(dataDir, { recursive: true })
}

interface Written {
  /** Lines that were in the log when the writer opened it. */
  readonly found: number
  readonly acknowledged: number
}

/** Pipes the input into a writer; with `killedAt`, ends it there, and the input stays open until then. */
async function write(input: readonly string[], killedAt = Number.POSITIVE_INFINITY): Promise<Written> {
  const writer = fileURLToPath(new URL('./writer.ts', import.meta.url))
  const child = spawn(process.execPath, [writer, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  child.stdin.on('error', () => {}) // it may be killed before it has read all
  child.stdin.write(`${input.join('\n')}\n`)
  if (killedAt === Number.POSITIVE_INFINITY) child.stdin.end()
  const said = { found: 0, acknowledged: 0 }
  for await (const report of createInterface({ input: child.stdout })) {
    const [what, count] = report.split(' ') as [keyof Written, string]
    said[what] = Number(count)
    if (said.acknowledged >= killedAt) child.kill('SIGKILL')
  }
  await ended
  return said
}

/** What another process left, opened once more. True: every line is there once. */
async function readBack(acknowledged: number): Promise<boolean> {
  const openedMs = performance.now()
  const millrace = await openMillrace({ dataDir })
  const topic = await millrace.topic(accessLog)
  const consumer = millrace.consumer()

  const [from] = await consumer.offsetsForTimes([{ topic, partition: 0, timestamp: REPLAYED_FROM }])
  consumer.seek(topic, 0, from!.offset)
  let firstLine = ''
  let replayed = 0
  for await (const record of consumer.records(topic, { until: 'end' })) if (replayed++ === 0) firstLine = record.value
  const replayMs = performance.now() - openedMs
  tell('replay', `from ${formatMinute(REPLAYED_FROM)}: ${formatNumber(replayed)} lines, from offset ${formatNumber(from!.offset)} on,`)
  tell('', `${formatDuration(replayMs)} after the directory was opened; the first:`)
  tell('', printable(firstLine, 90))

  let right = 0
  let read = 0
  consumer.seekToBeginning()
  for await (const record of consumer.records(topic, { until: 'end' })) {
    if (record.offset === read++ && record.value === lines[record.offset]) right++
  }
  await millrace.close()
  const isProven = acknowledged === lines.length && read === lines.length && right === lines.length
  console.log(
    isProven
      ? `\nproven: each of the ${formatNumber(lines.length)} lines is there once, in its place`
      : `\nFAILED: of ${formatNumber(lines.length)} lines ${formatNumber(acknowledged)} were acknowledged, ${formatNumber(read)} read, ${formatNumber(right)} in their places`,
  )
  return isProven
}

/** Kafka's own files: its tools read them. */
function showFiles(): void {
  const directory = `broker-0/${accessLog.name}-0`
  const files = readdirSync(join(dataDir, directory)).map((name) => ({ name, bytes: statSync(join(dataDir, directory, name)).size }))
  for (const [at, { name, bytes }] of files.entries()) tell(at === 0 ? 'files' : '', `${directory}/${name}  ${formatBytes(bytes)}`)
}

function tell(who: string, what: string): void {
  console.log(`${who.padEnd(9)} ${what}`)
}
