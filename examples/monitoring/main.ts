// This process watches itself: processor time, memory and event loop delay go into a topic, and
// what each second of it comes to into another one, as alerts. An alert fires above one limit and is
// resolved below a lower one. For something to see, the event loop is blocked for a while.
//
//   node examples/monitoring/main.ts

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { json, openMillrace, string } from '../../src/index.ts' // in your code: from 'millrace'
import { aggregate, flatMapValue, fromTopic, hopping, reduce, toTopic, windowed } from '../../src/rxjs.ts' // from 'millrace/rxjs'

const [DELAY, MEMORY, PROCESSOR] = ['event loop delay, ms', 'memory, MiB', 'processor, ms'] as const
const RULES = new Map<string, { firesAbove: number; resolvedBelow: number }>([
  [DELAY, { firesAbove: 100, resolvedBelow: 50 }],
  [MEMORY, { firesAbove: 8_000, resolvedBelow: 7_000 }],
])
const windows = hopping({ sizeMs: 1_000, advanceMs: 250, graceMs: 0 })
const tally = reduce({ sum: 0, count: 0 }, (so, { value }: { readonly value: number }) => ({ sum: so.sum + value, count: so.count + 1 }))
type Alert = Readonly<{ state: 'firing' | 'resolved'; mean: number }>

const millrace = await openMillrace()
const metrics = await millrace.topic('metrics', { partitions: 1, key: string(), value: json<number>() })
const alerts = await millrace.topic('alerts', { partitions: 1, key: windowed(string(), windows), value: json<Alert>() })
const alertsOf = alarm()
const watching = fromTopic(metrics, { groupId: 'alerting' })
  .pipe(
    aggregate(windows, tally, { emit: 'close' }),
    flatMapValue(({ sum, count }, { key }) => alertsOf(key.key, sum / count)),
    toTopic(alerts),
  )
  .subscribe()

let [sent, isOver] = [0, false]
const atWork = [sample(), pause(1_500).then(block)]
const told: string[] = []
for await (const { key, value } of millrace.consumer().records(alerts)) {
  told.push(alertText(key.key, key.window.endMs, value))
  console.log(told.at(-1))
  if (key.key === DELAY && value.state === 'resolved') break
}
isOver = true
await Promise.all(atWork)
watching.unsubscribe()

const samples = [] // the proof: all of them once more, and plain arithmetic
for await (const record of millrace.consumer().records(metrics, { until: 'end' })) samples.push(record)
const { sizeMs, advanceMs } = windows
const expected: string[] = []
const expectedOf = alarm()
for (let endMs = Math.ceil(samples[0]!.timestamp / advanceMs) * advanceMs; endMs <= samples.at(-1)!.timestamp; endMs += advanceMs) {
  const within = samples.filter(({ timestamp }) => timestamp >= endMs - sizeMs && timestamp < endMs)
  for (const metric of RULES.keys()) {
    const values = within.filter(({ key }) => key === metric).map(({ value }) => value)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expected.push(...expectedOf(metric, mean).map((alert) => alertText(metric, endMs, alert)))
  }
}
const isProven = samples.length === sent && told.every((text, at) => text === expected[at])
console.log(
  `${samples.length} of ${sent} samples, read again, ${isProven ? 'give the same alerts' : `GIVE OTHERS: ${expected.join('; ')}`}`,
)
process.exitCode = isProven ? 0 : 1
await millrace.close()

/** What becomes of the means of each metric, one after the other. */
function alarm(): (metric: string, mean: number) => Alert[] {
  const firing = new Set<string>()
  return (metric, mean) => {
    const rule = RULES.get(metric)
    if (rule === undefined || !(firing.has(metric) ? mean < rule.resolvedBelow : mean > rule.firesAbove)) return []
    if (firing.delete(metric)) return [{ state: 'resolved', mean }]
    firing.add(metric)
    return [{ state: 'firing', mean }]
  }
}

/** A sample of each metric, twenty times a second. */
async function sample(): Promise<void> {
  const producer = millrace.producer()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  for (let before = process.cpuUsage(); !isOver; before = process.cpuUsage()) {
    await pause(50)
    const used = process.cpuUsage(before)
    const values = { [DELAY]: delay.max / 1e6, [MEMORY]: process.memoryUsage.rss() / 2 ** 20, [PROCESSOR]: (used.user + used.system) / 1e3 }
    delay.reset()
    for (const [key, value] of Object.entries(values)) await producer.send(metrics, { key, value }).then(() => sent++)
  }
  delay.disable()
}

/** Work as it should not be: for a second and a half nothing else gets a turn for long. */
async function block(): Promise<void> {
  for (const endMs = Date.now() + 1_500; Date.now() < endMs; await pause(1)) for (const untilMs = Date.now() + 200; Date.now() < untilMs; );
}

function alertText(metric: string, endMs: number, { state, mean }: Alert): string {
  return `${new Date(endMs).toISOString().slice(11, 23)}  ${state.padEnd(8)}  ${metric}: ${mean.toFixed(1)}, the mean of a second`
}
