// S18 and G1 to G4: work by `process`, what being in a group costs, how long a rebalance takes, how many commits a second, and how
// soon the partitions of a member that has died are read by another.

import { THROUGHPUT_METRICS } from '../harness/bench-case.ts'
import type { CaseSpec, ContenderSpec } from '../harness/bench-case.ts'
import { COMING_AND_GOING_METRICS, COMMIT_METRICS, REBALANCE_METRICS, TAKE_OVER_METRICS } from '../groups/group-metrics.ts'
import { noDisk } from '../harness/data-directory.ts'
import { noBullmq } from '../peers/bullmq-address.ts'
import { ROAD_METRICS } from '../road/road-metrics.ts'
import { roadContender, roadOptions } from './road-settings.ts'

const VALUE_BYTES = 100
const PARTITIONS = 4
const IN_GROUP = { valueBytes: VALUE_BYTES, partitions: PARTITIONS, consumer: { groupId: 'road' } }
const RECORDS = { records: 6_000_000, smallRecords: 50_000 }
/** A member comes or goes that often. */
const EVERY_MS = 10

const CONCURRENCY = 100
const JOBS = { valueBytes: VALUE_BYTES, threads: 2, partitions: 4 }

export const S18: CaseSpec = {
  id: 'S18',
  title: '`consumer.process` with an empty handler, 100 at once',
  measures: 'From the first job that is offered to the last that is handled. All on one thread of the user’s, beside a broker’s.',
  metrics: THROUGHPUT_METRICS,
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    {
      id: 'memory',
      title: 'process, `memory`',
      kind: 'millrace',
      records: 1_000_000,
      smallRecords: 20_000,
      ...JOBS,
      setup: 'one broker, a group of one, order none, 4 partitions',
      open: async () => {
        const { openProcessing } = await import('../groups/processing.ts')
        return openProcessing({ concurrency: CONCURRENCY, valueBytes: VALUE_BYTES })
      },
    },
    {
      id: 'disk',
      title: 'process, `disk`',
      kind: 'millrace',
      records: 500_000,
      smallRecords: 10_000,
      ...JOBS,
      setup: 'the same with `disk` durability: each job is synced before it is handled',
      skip: () => noDisk(0),
      open: async () => {
        const { openProcessing } = await import('../groups/processing.ts')
        return openProcessing({ concurrency: CONCURRENCY, valueBytes: VALUE_BYTES, durability: 'disk' })
      },
    },
    {
      id: 'piscina',
      title: 'piscina, a task a job',
      kind: 'peer',
      records: 50_000,
      smallRecords: 2_000,
      ...JOBS,
      setup: 'one thread in the pool, 100 tasks under way; nothing is kept',
      open: async () => {
        const { openPiscina } = await import('../peers/piscina-pool.ts')
        return openPiscina({ recordsPerTask: 1, tasksInFlight: CONCURRENCY, valueBytes: VALUE_BYTES })
      },
    },
    {
      id: 'bullmq',
      title: 'BullMQ on Redis',
      kind: 'peer',
      records: 20_000,
      smallRecords: 1_000,
      ...JOBS,
      setup: 'jobs added 1,000 a call, one worker, 100 at once, Redis as it is set up',
      skip: noBullmq,
      open: async () => {
        const { openBullmq } = await import('../peers/bullmq.ts')
        return openBullmq({ concurrency: CONCURRENCY, valueBytes: VALUE_BYTES })
      },
    },
  ],
  targets: [
    {
      id: 'bullmq',
      text: 'jobs against BullMQ’s',
      value: (view) => view.ratio('memory', 'bullmq'),
      atLeast: 20,
      unit: 'ratio',
      notJudged: noBullmq,
    },
    {
      id: 'bullmq-disk',
      text: 'jobs against BullMQ’s, with `disk` durability',
      value: (view) => view.ratio('disk', 'bullmq'),
      atLeast: 10,
      unit: 'ratio',
      notJudged: noBullmq,
    },
  ],
}

export const G1: CaseSpec = {
  id: 'G1',
  title: 'a member of a group, beside a reader of all partitions',
  measures:
    'S1 with four partitions: the reader without a group, and as the member of one, its offsets committed by itself; and while another ' +
    'member of its group comes and goes, so that the group is shared out anew again and again.',
  metrics: { ...THROUGHPUT_METRICS, ...ROAD_METRICS, ...COMING_AND_GOING_METRICS },
  primary: 'recordsPerSecond',
  order: 'alternate',
  table: 'throughput',
  warmUps: 2,
  repetitions: 7,
  contenders: [
    roadContender({ id: 'plain', title: 'all partitions, no group', ...RECORDS }, { valueBytes: VALUE_BYTES, partitions: PARTITIONS }),
    roadContender({ id: 'group', title: 'member of a group', ...RECORDS }, IN_GROUP),
    {
      ...roadContender({ id: 'rebalancing', title: 'member of a group that others join and leave', ...RECORDS }, IN_GROUP),
      open: async () => {
        const { openComingAndGoing } = await import('../groups/coming-and-going.ts')
        return openComingAndGoing(roadOptions(IN_GROUP), EVERY_MS)
      },
    },
  ],
  targets: [
    { id: 'group', text: 'a group against plain assignment', value: (view) => view.ratio('group', 'plain'), atLeast: 0.95, unit: 'ratio' },
  ],
}

function rebalance(members: number, partitions: number): ContenderSpec {
  return {
    id: `${members}-${partitions}`,
    title: `${members} members, ${partitions} partitions`,
    kind: 'millrace',
    records: 5,
    smallRecords: 1,
    valueBytes: VALUE_BYTES,
    threads: 2,
    partitions,
    setup: 'one broker, memory durability; all members on one thread, no records',
    open: async () => {
      const { openRebalance } = await import('../groups/rebalance.ts')
      return openRebalance({ members, partitions })
    },
  }
}

export const G2: CaseSpec = {
  id: 'G2',
  title: 'rebalance: one joins, one leaves',
  measures:
    'From the call by which a member joins, or leaves, to where each member has the partitions that it is to have, has told the ' +
    'coordinator, and all are of one epoch.',
  metrics: REBALANCE_METRICS,
  primary: 'joined',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    rebalance(3, 12),
    ...[10, 30, 100].flatMap((members) => [100, 300, 1_000].map((partitions) => rebalance(members, partitions))),
  ],
  smallContenders: ['3-12', '10-100'],
  targets: [
    {
      id: 'joined',
      text: 'one joins 100 members with 1,000 partitions',
      value: (view) => view.median('100-1000', 'joined'),
      atMost: 200,
      unit: 'ms',
    },
    {
      id: 'left',
      text: 'one leaves 100 members with 1,000 partitions',
      value: (view) => view.median('100-1000', 'left'),
      atMost: 200,
      unit: 'ms',
    },
  ],
}

function commits(inFlight: number): ContenderSpec {
  return {
    id: `in-flight-${inFlight}`,
    title: inFlight === 1 ? 'one after the other' : `${inFlight} under way at once`,
    kind: 'millrace',
    records: 5_000,
    smallRecords: 200,
    valueBytes: 0,
    threads: 2,
    partitions: 8,
    setup: 'one broker, memory durability; each commit is of one partition, and awaited',
    open: async () => {
      const { openCommits } = await import('../groups/commits.ts')
      return openCommits({ inFlight })
    },
  }
}

export const G3: CaseSpec = {
  id: 'G3',
  title: 'commits a second',
  measures:
    'Offsets that one consumer commits by `commitOffsets`, each awaited. Those that are under way at once share a control call to the ' +
    'coordinator, and of a partition the last is one record in its log.',
  metrics: COMMIT_METRICS,
  primary: 'commitsPerSecond',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [commits(1), commits(64)],
  targets: [],
}

export const G4: CaseSpec = {
  id: 'G4',
  title: 'take-over of a dead member’s partitions',
  measures:
    'From the call that ends the thread of a member to the first batch of each of its partitions in the hands of another one, with a ' +
    'record a millisecond in each partition.',
  metrics: TAKE_OVER_METRICS,
  primary: 'p50',
  order: 'alternate',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    {
      id: 'take-over',
      title: 'three members, 12 partitions',
      kind: 'millrace',
      records: 10,
      smallRecords: 1,
      valueBytes: VALUE_BYTES,
      threads: 5,
      partitions: 12,
      setup: 'one broker, memory durability; each member on a thread of its own; 10 deaths',
      open: async () => {
        const { openTakeOver } = await import('../groups/take-over.ts')
        return openTakeOver({ members: 3, partitions: 12, brokers: 1 })
      },
    },
  ],
  targets: [
    { id: 'p50', text: 'death to first batch elsewhere: p50', value: (view) => view.median('take-over', 'p50'), atMost: 20, unit: 'ms' },
    { id: 'p99', text: 'death to first batch elsewhere: p99', value: (view) => view.median('take-over', 'p99'), atMost: 50, unit: 'ms' },
  ],
}
