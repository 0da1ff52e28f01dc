// What a round of a torture does with files, drawn from its seed: whether there are any, how
// deep each topic is acknowledged, how soon its segments are full, and how the round ends.
// Drawn apart from the rest of the plan, so that rounds without files are what they always were.

import { seededRandom } from '../../src/random.ts'
import type { Random } from '../../src/random.ts'

/** What a run is asked for; `mixed`: each round draws. */
export const DURABILITIES = ['memory', 'cache', 'disk', 'mixed'] as const
export type RunDurability = (typeof DURABILITIES)[number]
export type TopicDurability = Exclude<RunDurability, 'mixed'>

/**
 * - `close`: all that was sent is settled and read, millrace is closed, and opened again;
 * - `kill`: all its threads die at once under load, and the directory is opened again.
 */
export const ENDINGS = ['close', 'kill'] as const
export type RoundEnding = (typeof ENDINGS)[number]

export interface FilesPlan {
  readonly ending: RoundEnding
  /** Of a kill: how much sooner the I/O thread dies than the others. What is acknowledged meanwhile is in no file, unless it waited. */
  readonly ioAheadMs: number
  /** Log memory is so small, and so much is sent, that logs leave it within the round, and readers read files. */
  readonly isTight: boolean
  /** By topic, in their order. */
  readonly topics: readonly TopicFiles[]
}

export interface TopicFiles {
  readonly durability: TopicDurability
  readonly config: Readonly<Record<string, string | number>>
}

/** Of the broker: retention of files is looked at so often that it happens within a round. */
export const FILE_BROKER_CONFIG = { 'millrace.durability': 'cache', 'log.retention.check.interval.ms': 200 } as const

/** The least there is, and more than a round writes to many a log: age closes most segments. */
const SEGMENT_BYTES = 1_048_576
/** Before it runs again, and after. */
const IO_AHEAD_MS_MAX = 60
const APART = 0x66_69_6c_65

/** `undefined`: the round has no files. With `mustHave` it has some, where the run leaves it to chance. */
export function planFiles(seed: number, durability: RunDurability, topics: number, mustHave: boolean): FilesPlan | undefined {
  if (durability === 'memory') return undefined
  const random = seededRandom((seed ^ APART) >>> 0)
  if (durability === 'mixed' && random.below(4) === 0 && !mustHave) return undefined
  const ending = ENDINGS[random.below(2)]!
  const isTight = random.below(2) === 0
  const ioAheadMs = random.below(2) * random.below(IO_AHEAD_MS_MAX)
  // One at least has files.
  const filed = random.below(topics)
  const plans = Array.from({ length: topics }, (_, topic): TopicFiles => {
    const drawn = (['cache', 'disk', 'memory'] as const)[random.below(topic === filed ? 2 : 3)]!
    const own = durability === 'mixed' ? drawn : durability
    return { durability: own, config: { 'millrace.durability': own, ...segmentConfig(random, isTight) } }
  })
  return { ending, ioAheadMs, isTight, topics: plans }
}

/** Where much is written, segments are full before they are old. */
function segmentConfig(random: Random, isTight: boolean): Record<string, number> {
  const pick = (...choices: readonly number[]): number => choices[random.below(choices.length)]!
  return {
    'segment.bytes': SEGMENT_BYTES,
    'segment.ms': isTight ? pick(500, 604_800_000) : pick(20, 100, 500, 604_800_000),
    'index.interval.bytes': pick(0, 500, 4_096),
    // Readers may have them open.
    'file.delete.delay.ms': pick(0, 100, 60_000),
  }
}
