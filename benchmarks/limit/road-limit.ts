// The arithmetic of the limit: what three threads and so many cores can reach at best, when
// each stage costs what it costs alone. Waiting, waking and sharing caches are not in it.

import type { StageNs } from './stopwatch.ts'

export interface ThreadNs {
  readonly producer: number
  readonly broker: number
  readonly reader: number
}

export function threadNs(stages: StageNs): ThreadNs {
  return { producer: stages.encode + stages.lane, broker: stages.append, reader: stages.copyOut + stages.walk }
}

/** Records a second: the slowest thread's own work, or the cores divided by the sum of all work, whichever is less. */
export function roadLimit(stages: StageNs, cores: number): number {
  const { producer, broker, reader } = threadNs(stages)
  const slowest = 1e9 / Math.max(producer, broker, reader)
  const shared = (1e9 * cores) / (producer + broker + reader)
  return Math.min(slowest, shared)
}
