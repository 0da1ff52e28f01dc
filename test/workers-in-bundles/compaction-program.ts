// The program that every form of the package must run to compact files: its threads are found only
// when there is something to compact.

export interface CompactionProgramOptions {
  /** What the program imports millrace from. */
  readonly from: string
  readonly dataDir: string
  /** The worker's file beside the program, where a bundler moved it. */
  readonly worker?: string
}

export function compactionProgram({ from, dataDir, worker }: CompactionProgramOptions): string {
  const workerUrl = worker === undefined ? '' : `workerUrl: new URL('${worker}', import.meta.url), `
  return `import { openMillrace, string } from '${from}'

const warnings = []
const ignore = () => undefined
const logger = { debug: ignore, info: ignore, warn: (_, text) => warnings.push(text), error: (_, text) => warnings.push(text) }
const millrace = await openMillrace({ ${workerUrl}dataDir: ${JSON.stringify(dataDir)}, logger, config: { 'log.cleaner.backoff.ms': 5 } })
const table = await millrace.topic('table', {
  key: string(),
  value: string(),
  config: { 'cleanup.policy': 'compact', 'segment.bytes': 1048576, 'min.cleanable.dirty.ratio': 0 },
})
const records = Array.from({ length: 200 }, (_, i) => ({ key: 'key ' + (i % 4), value: i + ' '.padEnd(20000) }))
await millrace.producer().sendAll(table, records)
let seen = []
do {
  if (warnings.length > 0) throw new Error(warnings.join())
  seen = []
  for await (const { key, value } of millrace.consumer().records(table, { until: 'end' })) seen.push([key, parseInt(value)])
} while (seen.length > 100)
await millrace.close()
console.log(JSON.stringify(Object.fromEntries(seen)))
`
}

/** What the program prints. */
export const COMPACTION_OUTPUT = { 'key 0': 196, 'key 1': 197, 'key 2': 198, 'key 3': 199 }
