// The operators of the case, apart from what runs them: listing the cases loads no library.

/** Each with the nearest that RxJS has, in words. */
export const OPERATORS = {
  mapValue: ['`mapValue`', 'map to an object'],
  filterValue: ['`filterValue`', 'filter'],
  flatMapValue: ['`flatMapValue`, one value', 'mergeMap to an array of one'],
  keyBy: ['`keyBy`', 'map to an object'],
  branch: ['`branch` in two', 'connect, two filters, merge'],
  deadLetter: ['`deadLetter` that nothing fails in', 'concatMap with catchError inside'],
  deduplicate: ['`deduplicate`, 10,000 ids kept', 'distinct, which keeps all'],
  batchRecords: ['`batchRecords` of 100', 'bufferCount'],
  rateLimit: ['`rateLimit` that is never reached', 'none; concatMap of one value'],
  mergeByTime: ['`mergeByTime` of two partitions', 'merge, in no order'],
  'punctuate-event': ['`punctuate` by event time', 'mergeMap that looks at the time'],
  'punctuate-wall': ['`punctuate` by the clock', 'merge with interval'],
  aggregate: ['`aggregate`, a sum a key and minute', 'map that counts in a Map, which keeps all'],
  'process-sync': ['`process`, plain handler, order none', 'mergeMap to of(…)'],
  'process-async': ['`process`, async handler, order none', 'mergeMap to a promise; what does not fit in waits in an array of its own'],
  'process-by-key': ['`process`, async handler, order by key', 'the same, in no order'],
} as const satisfies Readonly<Record<string, readonly [own: string, nearest: string]>>

export type OperatorId = keyof typeof OPERATORS
