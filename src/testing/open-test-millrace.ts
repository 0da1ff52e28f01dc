// Opening a test kit.

import { fillMillraceOptions } from '../client/millrace-config.ts'
import { MACHINE, startMillrace } from '../client/open-millrace.ts'
import { InlineMillrace } from './inline-millrace.ts'
import { InlineWorld } from './inline-world.ts'
import { OpenClients } from './open-clients.ts'
import { fillTestMillraceOptions } from './test-millrace-config.ts'
import type { TestMillraceOptions } from './test-millrace-config.ts'
import { TestMillrace } from './test-millrace.ts'
import { REAL_TIME } from './test-time.ts'

/**
 * Opens a millrace for one test, in memory. With `inline: true` it has no threads, and its time is virtual: it moves by `advance` and by
 * what waits, and the same seed gives the same run. Without it, brokers are threads and time is real. Close it at the end of the test.
 * Rejects with INVALID_CONFIG; for `listen` as well, which is not there yet.
 */
export function testMillrace(options: TestMillraceOptions & { readonly inline: true }): Promise<InlineMillrace>
export function testMillrace(options?: TestMillraceOptions): Promise<TestMillrace>
export async function testMillrace(options?: TestMillraceOptions): Promise<TestMillrace> {
  const filled = fillTestMillraceOptions(options)
  const { brokers, logMemoryBytes, partitionsMax, logger, logLevel } = filled
  const config = { 'offsets.topic.num.partitions': 1, ...filled.config }
  const settings = fillMillraceOptions({ brokers, logMemoryBytes, partitionsMax, config, logger, logLevel })
  const clients = new OpenClients()
  const { onMade } = clients
  if (!filled.inline) {
    const millrace = await startMillrace(settings, { ...MACHINE, onMade })
    return new TestMillrace(millrace, clients, REAL_TIME, filled, () => new Map())
  }
  const world = new InlineWorld(filled.seed, filled.startMs)
  const millrace = await startMillrace(settings, { ...world.millrace, onMade })
  return new InlineMillrace(millrace, clients, world, filled)
}
