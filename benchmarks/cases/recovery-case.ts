// C6: from the start of a process to serving, with a data directory that was killed under load.

import type { CaseSpec, CaseView, ContenderSpec, OpenContext } from '../harness/bench-case.ts'
import { noDisk } from '../harness/data-directory.ts'
import { cannotDropCaches, openRecovery, RECOVERY_METRICS } from '../recovery/recovery.ts'
import type { Before, RecoverySize } from '../recovery/recovery.ts'

const MIB = 1 << 20
const VALUE_BYTES = 1_000
/** Of a record in a file, its part of its batch's header included. */
const RECORD_BYTES = 1_011
const PARTITIONS = 100
const PARTITION_BYTES = 100 * MIB
const SMALL_PARTITIONS = 10
const SMALL_PARTITION_BYTES = 2 * MIB

function sizeOf(small: boolean): RecoverySize {
  const partitions = small ? SMALL_PARTITIONS : PARTITIONS
  const partitionBytes = small ? SMALL_PARTITION_BYTES : PARTITION_BYTES
  const recordsPerPartition = Math.ceil(partitionBytes / RECORD_BYTES)
  return { partitions, recordsPerPartition, valueBytes: VALUE_BYTES, loadMs: small ? 300 : 2_000 }
}

function opening(id: string, title: string, before: Before, setup: string): ContenderSpec {
  return {
    id,
    title,
    kind: 'millrace',
    records: 1,
    smallRecords: 1,
    valueBytes: VALUE_BYTES,
    threads: 3,
    partitions: PARTITIONS,
    setup,
    startsAnew: true,
    skip: ({ small }) =>
      (before.endsWith('cold') ? cannotDropCaches() : undefined) ??
      noDisk(2 * (small ? SMALL_PARTITIONS * SMALL_PARTITION_BYTES : PARTITIONS * PARTITION_BYTES)),
    open: (context: OpenContext) => openRecovery(before, sizeOf(context.small), context),
  }
}

const WRITTEN = 'one directory for all, default settings, `cache`; written to at full speed for two seconds each time, then SIGKILL'

const worst = (view: CaseView, id: string): number | undefined => view.max(id, 'processMs')

export const C6: CaseSpec = {
  id: 'C6',
  title: 'recovery: 100 partitions of 100 MiB',
  measures:
    'From the start of a process until it serves from the data directory: a record is acknowledged, and the first record of each ' +
    'partition was read. Then all that was acknowledged before the kill is looked for.',
  metrics: RECOVERY_METRICS,
  primary: 'processMs',
  order: 'one-by-one',
  table: 'metrics',
  warmUps: 1,
  repetitions: 5,
  contenders: [
    opening('killed', 'after SIGKILL under load', 'kill', `${WRITTEN}; page cache as the killed process left it`),
    opening('closed', 'after a clean stop', 'clean stop', 'the same directory, closed by the opening before'),
    opening('killed-cold', 'after SIGKILL under load, page cache dropped', 'kill, cold', `${WRITTEN}; the machine’s page cache is dropped`),
    opening('closed-cold', 'after a clean stop, page cache dropped', 'clean stop, cold', 'closed, and the machine’s page cache is dropped'),
  ],
  targets: [
    {
      id: 'killed',
      text: 'after SIGKILL, warm, worst of all repetitions',
      value: (view) => worst(view, 'killed'),
      atMost: 2_000,
      unit: 'ms',
    },
    {
      id: 'killed-cold',
      text: 'after SIGKILL, cold, worst of all repetitions',
      value: (view) => worst(view, 'killed-cold'),
      atMost: 2_000,
      unit: 'ms',
    },
  ],
}
