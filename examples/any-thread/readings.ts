// The topic, as a plain value that both threads import.

import { defineTopic, json } from '../../src/index.ts' // in your code: from 'millrace'

export const READINGS = 1_000_000
export const readings = defineTopic('readings', { partitions: 1, value: json<number>() })
