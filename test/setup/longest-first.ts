// In which order files run: those that take longest before all others, so that none of them
// runs on alone at the end. Vitest knows that by itself from the second run on, in its cache;
// a fresh clone has none.

import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Those of more than five seconds beside which others run, the longest first. */
export const LONGEST = [
  'torture/seeded-bugs',
  'docs/examples',
  'examples/user-activity',
  'client/file-compaction',
  'workers-in-bundles/worker-entry',
  'client/damaged-directory',
  'client/data-dir',
  'client/processing',
  'torture/disk/power-cuts',
  'examples/consumer-failover',
  'io/io-crash',
  'storage/compaction-crash',
  'record/codec',
  'record/damaged-batches',
  'storage/partition-crash',
  'io/io-compaction-crash',
  'coordinator/simulation/group-simulation',
  'io/damaged-files',
  'log/log-compaction',
  'log/shared-log-reader',
  'coordinator/group/offsets-model',
  'coordinator/group/consumer-group-random',
]

/** Where a file stands among these; behind all of them if it is none. */
export function rankOf(moduleId: string): number {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return at < 0 ? LONGEST.length : at
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification): number => file.project.config.sequence.groupOrder * (LONGEST.length + 1) + rankOf(file.moduleId)
    // Those of one rank stay in vitest's order.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
