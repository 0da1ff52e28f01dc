// All cases, in the order in which they run.

import type { CaseSpec } from './harness/bench-case.ts'
import { C1, C4, C5 } from './cases/cost-cases.ts'
import { C6 } from './cases/recovery-case.ts'
import { C7 } from './cases/close-case.ts'
import { G1, G2, G3, G4, S18 } from './cases/group-cases.ts'
import { R9 } from './cases/failover-case.ts'
import { S2, S3 } from './cases/durability-cases.ts'
import { D1 } from './cases/durability-level-case.ts'
import { C2, C3 } from './cases/memory-cases.ts'
import { C8 } from './cases/package-case.ts'
import { S14 } from './cases/chain-case.ts'
import { X1 } from './cases/operator-case.ts'
import { X3 } from './cases/pool-case.ts'
import { X2 } from './cases/window-case.ts'
import { S16 } from './cases/compression-case.ts'
import { S13 } from './cases/latency-case.ts'
import { S10, S12, S6 } from './cases/partition-cases.ts'
import { S11 } from './cases/scale-case.ts'
import { S9 } from './cases/await-case.ts'
import { S7 } from './cases/serde-case.ts'
import { S8 } from './cases/sweep-case.ts'
import { S1, S4 } from './cases/throughput-cases.ts'

export const CASES: readonly CaseSpec[] = [
  S1,
  S2,
  S3,
  S4,
  S6,
  S7,
  S8,
  S9,
  S10,
  S11,
  S12,
  S13,
  S14,
  S16,
  S18,
  D1,
  G1,
  G2,
  G3,
  G4,
  C1,
  C2,
  C3,
  C4,
  C5,
  C6,
  C7,
  C8,
  R9,
  X1,
  X2,
  X3,
]
