// What happens in one round of a torture, drawn from a seed before it begins: the same
// seed plans the same round. What threads make of it in time is theirs.

import { KILL_POINTS } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'
import type { FaultAction } from '../faults/fault-words.ts'
import { planFiles } from './file-plan.ts'
import type { FilesPlan, RunDurability, TopicDurability } from './file-plan.ts'
import type { ConsumerTask, ProducerMode, ProducerTask, TortureTopic } from './torture-tasks.ts'

const MEBIBYTE = 1024 * 1024

export const FAULT_KINDS = {
  killPoint: 'a leader dies at a named point of its work',
  throw: 'a leader throws what nobody expects',
  exit: 'a leader ends by itself',
  outOfMemory: 'a leader fills its heap',
  terminate: 'a leader is terminated at any instant',
  twoAtOnce: 'two brokers at once',
  allAtOnce: 'all brokers at once',
  controller: 'the broker that leads the metadata log dies between two records of it',
  mainBlocked: 'a leader dies while the main thread does nothing',
  stall: 'a leader stands still, and goes on',
  producer: 'a producer is terminated at any instant',
  producerAtPoint: 'a producer dies at a named point of its work',
  stalledProducer: 'a producer stands still, and goes on',
  consumer: 'a consumer is terminated at any instant',
  comeAndGo: 'a thread attaches, works, and closes',
  io: 'the I/O thread is terminated at any instant',
  ioAndBroker: 'the I/O thread and a leader at once',
  ioAndAll: 'the I/O thread and all brokers at once',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** As often as each comes among 25, when nothing else is asked for. */
const SHARES: Record<FaultKind, number> = {
  killPoint: 4,
  throw: 2,
  exit: 2,
  outOfMemory: 1,
  terminate: 4,
  twoAtOnce: 2,
  allAtOnce: 1,
  controller: 1,
  mainBlocked: 1,
  stall: 1,
  producer: 2,
  producerAtPoint: 1,
  stalledProducer: 1,
  consumer: 1,
  comeAndGo: 1,
  io: 0,
  ioAndBroker: 0,
  ioAndAll: 0,
}
/** And in a round with files. */
const SHARES_WITH_FILES: Record<FaultKind, number> = {
  ...SHARES,
  killPoint: 3,
  terminate: 3,
  producer: 1,
  io: 1,
  ioAndBroker: 1,
  ioAndAll: 1,
}

/** Those that find nothing to bite on where there are no files. */
export const IO_KINDS: ReadonlySet<FaultKind> = new Set<FaultKind>(['io', 'ioAndBroker', 'ioAndAll'])

/** Those that end a thread. */
export const KILLS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'killPoint',
  'throw',
  'exit',
  'outOfMemory',
  'terminate',
  'twoAtOnce',
  'allAtOnce',
  'controller',
  'mainBlocked',
  'producer',
  'producerAtPoint',
  'consumer',
  'io',
  'ioAndBroker',
  'ioAndAll',
])

/** One fault; each kind uses what it needs. */
export interface FaultPlan {
  readonly kind: FaultKind
  /** The log whose leader is hit. */
  readonly log: number
  readonly point: KillPoint
  readonly passing: number
  /** How long it waits before it strikes at any instant, or how long it holds. */
  readonly delayMs: number
  readonly holdMs: number
  /** Which of the other brokers, or of the threads. */
  readonly other: number
}

export interface TopicPlan extends TortureTopic {
  readonly keepsAll: boolean
  readonly durability: TopicDurability
  readonly config: Readonly<Record<string, string | number>>
}

export interface RoundPlan {
  readonly seed: number
  readonly brokers: number
  readonly logMemoryBytes: number
  /** Of a round with a data directory. */
  readonly files: FilesPlan | undefined
  readonly logs: number
  readonly topics: readonly TopicPlan[]
  /** The first one works all the time, and is not hit. */
  readonly producers: readonly ProducerTask[]
  readonly consumers: readonly ConsumerTask[]
  readonly faults: readonly FaultPlan[]
  /** Seed of each thread that starts, in their order. */
  readonly threadSeed: number
}

export interface PlanOptions {
  readonly faults: number
  /** Faults of these kinds alone, one as often as the other. */
  readonly kinds?: readonly FaultKind[] | undefined
  readonly brokersMax?: number
  readonly brokersMin?: number
  /** Log memory is nearly full. */
  readonly isSmall?: boolean
  /** Where records go, `memory` unless said. */
  readonly durability?: RunDurability
  /** How long the main thread does nothing; by chance when it is left out. */
  readonly blockedMs?: number
}

/** Points that every leader comes to with each batch, and those of a log that is trimmed all the time. */
const APPEND_POINTS = [
  'lane.reader.taken',
  'lane.ack.written',
  'log.append.claimed',
  'log.append.copied',
  'log.append.ended',
  'log.append.published',
] as const satisfies readonly KillPoint[]
const TRIM_POINTS = [
  'log.roll.allocated',
  'log.roll.linked',
  'log.extent.described',
  'log.trim.started',
  'log.trim.unlinked',
  'log.trim.marked',
] as const satisfies readonly KillPoint[]
const PRODUCER_POINTS = KILL_POINTS.filter((point) => point.startsWith('lane.writer.'))

export function planRound(seed: number, options: PlanOptions): RoundPlan {
  const random = seededRandom(seed)
  const { brokersMin = 1, brokersMax = 5, durability = 'memory', kinds } = options
  if (durability === 'memory' && kinds?.some((kind) => IO_KINDS.has(kind))) throw new Error('there is no I/O thread without files')
  const files = planFiles(seed, durability, TOPICS, kinds?.some((kind) => IO_KINDS.has(kind)) === true)
  const most = files?.isTight === true ? Math.max(brokersMin, Math.min(TIGHT_BROKERS_MAX, brokersMax)) : brokersMax
  const brokers = brokersMin + random.below(most - brokersMin + 1)
  const isSmall = random.below(4) === 0 || options.isSmall === true || files?.isTight === true
  const logMemoryBytes = (isSmall ? 8 * (brokers + 2) : 256) * MEBIBYTE
  const withoutFiles = planTopics(random, brokers)
  const topics = withoutFiles.map((topic, i): TopicPlan => {
    const own = files?.topics[i]
    return own === undefined ? topic : { ...topic, durability: own.durability, config: { ...topic.config, ...own.config } }
  })
  const logs = topics.reduce((sum, { partitions }) => sum + partitions, 0)
  const producers = [steadyProducer(random, isSmall), ...Array.from({ length: 2 }, () => planProducer(random, isSmall))]
  if (files?.isTight === true) producers.push(FLOOD)
  const consumers = Array.from({ length: 2 }, () => planConsumer(random, topics.length))
  const trimmed = topics.find(({ name }) => name === 'trimmed')!
  const faults = drawKinds(random, options, files === undefined ? SHARES : SHARES_WITH_FILES).map((kind) =>
    planFault(random, kind, { logs, brokers, trimmed, blockedMs: options.blockedMs }),
  )
  return { seed, brokers, logMemoryBytes, files, logs, topics, producers, consumers, faults, threadSeed: random.uint32() }
}

/** Every kind comes as often as its share says, in an order of chance. */
function drawKinds(random: Random, { faults, kinds }: PlanOptions, shares: Record<FaultKind, number>): FaultKind[] {
  const deck = kinds ?? (Object.keys(shares) as FaultKind[]).flatMap((kind) => new Array<FaultKind>(shares[kind]).fill(kind))
  const drawn: FaultKind[] = []
  while (drawn.length < faults) {
    const shuffled = [...deck]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      const [a, b] = [shuffled[i]!, shuffled[j]!]
      shuffled[i] = b
      shuffled[j] = a
    }
    drawn.push(...shuffled)
  }
  return drawn.slice(0, faults)
}

const TOPICS = 3

function planTopics(random: Random, brokers: number): TopicPlan[] {
  const sizes = [1 + random.below(brokers + 1), 1 + random.below(brokers + 1), brokers]
  const [kept, usual, trimmed] = sizes as [number, number, number]
  const inMemory = { durability: 'memory' } as const
  return [
    { name: 'kept', firstLog: 0, partitions: kept, keepsAll: true, config: { 'retention.bytes': -1 }, ...inMemory },
    { name: 'usual', firstLog: kept, partitions: usual, keepsAll: false, config: {}, ...inMemory },
    // Small extents that come and go all the time.
    {
      name: 'trimmed',
      firstLog: kept + usual,
      partitions: trimmed,
      keepsAll: false,
      config: { 'retention.bytes': 100_000 },
      ...inMemory,
    },
  ]
}

/** The load that goes on whatever dies. */
function steadyProducer(random: Random, isSmall: boolean): ProducerTask {
  const options = isSmall ? { deliveryTimeoutMs: SMALL_TIMEOUT_MS } : {}
  return { role: 'producer', mode: 'steady', options, isHasty: isSmall, inFlight: 1, bytesMax: 1 + random.below(3_000), ...PACED }
}

/** Each broker adds to the memory that is to be full. */
const TIGHT_BROKERS_MAX = 2

/** Sends more than small log memory holds. */
const FLOOD: ProducerTask = {
  role: 'producer',
  mode: 'sendAll',
  options: { deliveryTimeoutMs: 1_000, maxRequestSize: MEBIBYTE / 2 },
  isHasty: true,
  inFlight: 4,
  bytesMax: 200_000,
  recordsAJob: 40,
  pauseMs: 1,
}

/** Where log memory is small, topics that keep everything come to be full, and their producers are not to wait for that to pass. */
const SMALL_TIMEOUT_MS = 1_000
const PACED = { recordsAJob: 1, pauseMs: 0 }

function planProducer(random: Random, isSmall: boolean): ProducerTask {
  const pick = <T>(...choices: readonly T[]): T => choices[random.below(choices.length)]!
  const mode = pick<ProducerMode>('send', 'keyed', 'unkeyed', 'sendAll', 'offer')
  const isHasty = isSmall || random.below(8) === 0
  const triesOnce = random.below(8) === 0
  return {
    role: 'producer',
    mode,
    isHasty,
    options: {
      batchSize: pick(0, 1_000, 16_384, 65_536, 262_144),
      lingerMs: pick(0, 0, 1, 5),
      bufferMemory: pick(1, 4, 32) * MEBIBYTE,
      maxRequestSize: MEBIBYTE / 2,
      acks: pick<'all' | 1>('all', 'all', 'all', 1),
      ...(isHasty ? { deliveryTimeoutMs: 100 + random.below(900), maxBlockMs: 100 } : {}),
      ...(triesOnce ? { retries: 0 } : {}),
    },
    inFlight: pick(1, 4, 16, 64),
    bytesMax: pick(8, 500, 5_000, isSmall ? 60_000 : 20_000),
    recordsAJob: pick(1, 20, 300),
    pauseMs: pick(1, 3, 10),
  }
}

function planConsumer(random: Random, topics: number): ConsumerTask {
  return {
    role: 'consumer',
    mode: random.below(3) === 0 ? 'records' : 'batches',
    topic: random.below(topics),
    options: { maxPartitionFetchBytes: [1, 10_000, 1_048_576][random.below(3)]! },
    seeksEvery: random.below(2) * 50,
  }
}

function planFault(
  random: Random,
  kind: FaultKind,
  {
    logs,
    brokers,
    trimmed,
    blockedMs = 200 + random.below(300),
  }: { logs: number; brokers: number; trimmed: TopicPlan; blockedMs?: number | undefined },
): FaultPlan {
  const isTrim = random.below(3) === 0
  const points: readonly KillPoint[] =
    kind === 'producerAtPoint' || kind === 'stalledProducer' ? PRODUCER_POINTS : isTrim ? TRIM_POINTS : APPEND_POINTS
  return {
    kind,
    log: isTrim ? trimmed.firstLog + random.below(trimmed.partitions) : random.below(logs),
    point: points[random.below(points.length)]!,
    passing: 1 + random.below(isTrim ? 3 : 30),
    delayMs: random.below(20),
    holdMs: kind === 'mainBlocked' ? blockedMs : 20 + random.below(150),
    other: random.below(Math.max(1, brokers - 1)),
  }
}

export const actionOf = (kind: FaultKind): FaultAction => {
  if (kind === 'throw' || kind === 'exit' || kind === 'outOfMemory') return kind
  return 'park'
}
