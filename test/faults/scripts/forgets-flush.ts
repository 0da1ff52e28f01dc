// Offers records and forgets them: the process lives until they are acknowledged, and no
// longer. Takes lingerMs.

import { openMillrace, string } from '../../../src/index.ts'
import type { BoundTopic } from '../../../src/client/topic.ts'

const millrace = await openMillrace()
const topic = await millrace.topic('t', { value: string() })
const producer = millrace.producer({ lingerMs: Number(process.argv[2]) })
for (let i = 0; i < 1_000; i++) if (!producer.offer(topic, null, `record ${i}`)) throw new Error('there was room for all')
const { engine, slots } = topic as unknown as BoundTopic
process.on('exit', () => console.log(`${engine.controlBlock(slots[0]!).highWatermark} records in the log`))
