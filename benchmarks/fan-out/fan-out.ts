// S12: what a reader more costs the broker. The road with so many readers of the same partition,
// and the CPU time of the broker's thread as the kernel counts it.

import type { Measurement, Running } from '../harness/bench-case.ts'
import { threadsNamed, usageOf } from '../harness/thread-usage.ts'
import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'

const BROKER_THREAD = 'millrace broker'

export async function openFanOut(options: RoadOptions): Promise<Running> {
  const { pid } = process
  const before = new Set(threadsNamed(pid, BROKER_THREAD))
  const road = await openRoad(options)
  const brokers = threadsNamed(pid, BROKER_THREAD).filter((thread) => !before.has(thread))
  if (brokers.length !== options.strands) {
    await road.close()
    throw new Error(
      `${brokers.length} threads are named "${BROKER_THREAD}", not ${options.strands}: this Node.js does not name its threads`,
    )
  }
  return {
    async run(records: number): Promise<Measurement> {
      const { cpuNs } = usageOf(pid, brokers)
      const measured = await road.run(records)
      const brokerNs = (usageOf(pid, brokers).cpuNs - cpuNs) / records
      const recordsPerSecond = measured.values['recordsPerSecond']!
      return { ...measured, values: { brokerNs, producedPerSecond: recordsPerSecond / options.readers, recordsPerSecond } }
    },
    close: () => road.close(),
  }
}
