// Every public name of millrace/rxjs.

export { fromTopic } from './rx/from-topic.ts'
export type { Dropped, FromTopicOptions } from './rx/from-topic-config.ts'
export { MillraceRecord } from './rx/millrace-record.ts'
export type { RecordChanges } from './rx/millrace-record.ts'
export type { Hold } from './rx/hold.ts'
export { toTopic } from './rx/to-topic.ts'
export type { SinkRecord } from './rx/to-topic.ts'
export { batchRecords } from './rx/operators/batch-records.ts'
export type { BatchRecordsOptions } from './rx/operators/batch-records.ts'
export { branch } from './rx/operators/branch.ts'
export type { BranchCase } from './rx/operators/branch.ts'
export { deadLetter } from './rx/operators/dead-letter.ts'
export { deduplicate } from './rx/operators/deduplicate.ts'
export type { DeduplicateOptions } from './rx/operators/deduplicate.ts'
export { filterValue } from './rx/operators/filter-value.ts'
export { flatMapValue } from './rx/operators/flat-map-value.ts'
export { keyBy } from './rx/operators/key-by.ts'
export type { KeyByOptions } from './rx/operators/key-by.ts'
export { mapInPool } from './rx/operators/map-in-pool.ts'
export type { MapInPoolOptions } from './rx/operators/map-in-pool.ts'
export { mapValue } from './rx/operators/map-value.ts'
export { mergeByTime } from './rx/operators/merge-by-time.ts'
export type { MergeByTimeOptions } from './rx/operators/merge-by-time.ts'
export { process } from './rx/operators/process.ts'
export type { ProcessOperatorHandler } from './rx/operators/process.ts'
export type { DeadValue, ProcessOperatorOptions, RetriedValue } from './rx/operators/process-operator-config.ts'
export { punctuate } from './rx/operators/punctuate.ts'
export type { PunctuateOptions } from './rx/operators/punctuate.ts'
export { rateLimit } from './rx/operators/rate-limit.ts'
export type { RateLimitOptions } from './rx/operators/rate-limit.ts'
export { schedulerClock } from './rx/scheduler-clock.ts'
export { aggregate } from './rx/operators/aggregate.ts'
export type { AggregateResult } from './rx/operators/aggregate.ts'
export type { AggregateOptions, Emit } from './rx/operators/aggregate-config.ts'
export { repartition } from './rx/operators/repartition.ts'
export type { RepartitionOperatorOptions } from './rx/operators/repartition.ts'
export { count, max, min, reduce, sum } from './rx/windows/aggregators.ts'
export type { Aggregator, Comparable, ReduceOptions } from './rx/windows/aggregators.ts'
export { hopping, session, sliding, tumbling } from './rx/windows/windows.ts'
export type {
  HoppingOptions,
  SessionOptions,
  SessionWindows,
  SlidingOptions,
  SlidingWindows,
  TimeWindows,
  TumblingOptions,
  Windows,
} from './rx/windows/windows.ts'
export { windowed } from './rx/windows/windowed.ts'
export type { Window, Windowed } from './rx/windows/windowed.ts'
