// The road with a reader that is a member of a group, while another member comes and goes: it reads
// another topic, so each time the group is shared out anew and the reader keeps what it has.

import { setTimeout as sleep } from 'node:timers/promises'
import { bytes } from '../../src/index.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'

/** The group of the road's reader is that of its `consumer` options. */
export async function openComingAndGoing(options: RoadOptions, everyMs: number): Promise<Running> {
  const road = await openRoad(options)
  const { millrace } = road
  const other = await millrace.topic('other', { partitions: 1, value: bytes() })
  let isOver = false
  let rebalances = 0
  const comeAndGo = async (): Promise<void> => {
    while (!isOver) {
      const joined = Promise.withResolvers<void>()
      const consumer = millrace.consumer({ groupId: options.consumer.groupId!, onAssigned: () => joined.resolve() })
      const reading = consumer.batches(other)
      const first = reading.next()
      await Promise.race([joined.promise, first])
      await sleep(everyMs)
      await consumer.close()
      rebalances += 2
      await sleep(everyMs)
    }
  }
  const going = comeAndGo()
  going.catch(() => {})
  return {
    async run(records: number): Promise<Measurement> {
      const before = rebalances
      const measurement = await road.run(records)
      return { ...measurement, values: { ...measurement.values, rebalances: rebalances - before } }
    },
    close: async () => {
      isOver = true
      await going
      await road.close()
    },
  }
}
