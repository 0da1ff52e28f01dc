// The topic, as a plain value that the writer and the reader import.

import { defineTopic, string } from '../../src/index.ts' // in your code: from 'millrace'

/** A line is a record, and its offset the number of the line, from 0; its timestamp is the time in the line. */
export const accessLog = defineTopic('access_log', {
  partitions: 1,
  value: string(),
  config: { 'retention.ms': -1 }, // the log is of 2015: by age, all of it would go at once
})
