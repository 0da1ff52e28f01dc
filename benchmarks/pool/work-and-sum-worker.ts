// What `mapInPool` runs where there is work of 20 µs.

import { WORK } from './value-work.ts'

export default WORK['20µs']
