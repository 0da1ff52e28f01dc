// Writes to a data directory until it is killed, and says on its standard output what was acknowledged:
// a line `topic partition offset value` each, by one system call, when the acknowledgement has come.

import { writeSync } from 'node:fs'
import { openMillrace, string } from '../../../src/index.ts'

const [, , dataDir, brokers, generation] = process.argv as unknown as [string, string, string, string, string]
const PARTITIONS = 3
const IN_FLIGHT = 20

/** All of it, before anything else: the pipe may be full. */
function tell(line: string): void {
  const bytes = Buffer.from(line)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error
    }
  }
}

const millrace = await openMillrace({ dataDir, brokers: Number(brokers), logMemoryBytes: 16 * 1024 * 1024, logLevel: 'silent' })
const producers = [millrace.producer(), millrace.producer()]
for (const durability of ['cache', 'disk'] as const) {
  const config = { 'millrace.durability': durability, 'segment.bytes': 1_048_576 } as const
  const topic = await millrace.topic(durability, { value: string(), partitions: PARTITIONS, config })
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let sent = 0
    const sendOn = async (): Promise<void> => {
      for (;;) {
        const value = `${durability}-${partition}/${generation}/${sent++}/${'x'.repeat(sent % 500)}`
        const { offset } = await producers[partition % 2]!.send(topic, { value, partition })
        tell(`${durability} ${partition} ${offset} ${value}\n`)
      }
    }
    for (let i = 0; i < IN_FLIGHT; i++) void sendOn()
  }
}
