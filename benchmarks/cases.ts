// All cases, in the order in which they run.

import type { CaseSpec } from './harness/bench-case.ts'
import { C1, C4, C5 } from './cases/cost-cases.ts'
import { S13 } from './cases/latency-case.ts'
import { S11 } from './cases/scale-case.ts'
import { S8 } from './cases/sweep-case.ts'
import { S1, S4 } from './cases/throughput-cases.ts'

export const CASES: readonly CaseSpec[] = [S1, S4, S8, S11, S13, C1, C4, C5]
