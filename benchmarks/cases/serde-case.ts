// S7: objects through the serdes, beside the serdes alone.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec, TargetSpec } from '../harness/bench-case.ts'
import { EVENT_BYTES, EVENT_FORMATS } from '../serde/event-format.ts'
import type { EventFormat } from '../serde/event-format.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { ROAD_SETUP, roadContender } from './road-settings.ts'

const RECORDS = 400_000
const SMALL_RECORDS = 20_000

function road(format: EventFormat): ContenderSpec {
  return roadContender(
    {
      id: format,
      title: `${format}() through a topic`,
      records: RECORDS,
      smallRecords: SMALL_RECORDS,
      setup: `an object of seven fields made, encoded, read and decoded for each record; ${ROAD_SETUP}`,
    },
    { valueBytes: EVENT_BYTES[format], offering: format, reading: 'event' },
  )
}

function alone(format: EventFormat, by: 'serde' | 'library'): ContenderSpec {
  const library = format === 'msgpack' ? '@msgpack/msgpack' : 'JSON and Buffer'
  return {
    id: `${format}-${by}`,
    title: by === 'serde' ? `${format}() alone` : `${library} alone`,
    kind: 'limit',
    records: RECORDS,
    smallRecords: SMALL_RECORDS,
    valueBytes: EVENT_BYTES[format],
    threads: 1,
    partitions: 0,
    setup: 'the same objects encoded and decoded at once, one after another, on one thread',
    open: async () => {
      const { openSerdeAlone } = await import('../serde/serde-alone.ts')
      return openSerdeAlone({ format, by })
    },
  }
}

const target = (format: EventFormat, by: 'serde' | 'library'): TargetSpec => ({
  id: `${format}-${by}`,
  text: `objects through a topic with ${format}() against ${alone(format, by).title}, encode and decode`,
  value: (view) => view.ratio(format, `${format}-${by}`),
  atLeast: 0.8,
  unit: 'ratio',
})

export const S7: CaseSpec = {
  id: 'S7',
  title: 'objects through msgpack() and json()',
  measures:
    'S1 with an object a record: producer and reader threads make, encode, decode and sum it. Beside it the serde alone, ' +
    'encoding and decoding the same objects on one thread, and what the serde is made of.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: EVENT_FORMATS.flatMap((format) => [road(format), alone(format, 'serde'), alone(format, 'library')]),
  targets: EVENT_FORMATS.flatMap((format) => [target(format, 'serde'), target(format, 'library')]),
}
