// C8: what a user of the package downloads.

import type { CaseSpec } from '../harness/bench-case.ts'
import { cannotPack, openPackage, PACKAGE_METRICS } from '../package/package-size.ts'

const KIB = 1_024

export const C8: CaseSpec = {
  id: 'C8',
  title: 'the package: size, dependencies, install scripts',
  measures: 'What `npm pack` would publish, and what the lock file says comes along with it when nothing of development is installed.',
  metrics: PACKAGE_METRICS,
  primary: 'packedBytes',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 0,
  repetitions: 5,
  contenders: [
    {
      id: 'package',
      title: 'millrace, packed',
      kind: 'millrace',
      records: 1,
      smallRecords: 1,
      valueBytes: 0,
      threads: 0,
      partitions: 0,
      setup: '`npm pack --dry-run --json` of what is built, and package-lock.json',
      skip: cannotPack,
      open: openPackage,
    },
  ],
  targets: [
    { id: 'packed', text: 'the packed package', value: (view) => view.median('package', 'packedBytes'), atMost: 500 * KIB, unit: 'size' },
    {
      id: 'unlisted',
      text: 'runtime dependencies outside the list',
      value: (view) => view.median('package', 'unlisted'),
      atMost: 0,
      unit: 'count',
    },
    {
      id: 'install-scripts',
      text: 'install scripts, those of dependencies included',
      value: (view) => view.median('package', 'installScripts'),
      atMost: 0,
      unit: 'count',
    },
  ],
}
