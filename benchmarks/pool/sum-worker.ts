// What `mapInPool` runs where there is no work.

import { WORK } from './value-work.ts'

export default WORK.none
