// The assignors of classic groups by the name that members say in JoinGroup.

import { CLASSIC_RANGE_ASSIGNOR } from './classic-range-assignor.ts'
import { COOPERATIVE_STICKY_ASSIGNOR } from './cooperative-sticky-assignor.ts'
import { ROUNDROBIN_ASSIGNOR } from './roundrobin-assignor.ts'
import { STICKY_ASSIGNOR } from './sticky-assignor.ts'
import type { ClassicAssignor } from './classic-assignor.ts'

export const CLASSIC_ASSIGNORS: ReadonlyMap<string, ClassicAssignor> = new Map(
  [CLASSIC_RANGE_ASSIGNOR, ROUNDROBIN_ASSIGNOR, STICKY_ASSIGNOR, COOPERATIVE_STICKY_ASSIGNOR].map((assignor) => [assignor.name, assignor]),
)
