// Every public name of millrace/rxjs.

export { fromTopic } from './rx/from-topic.ts'
export type { FromTopicOptions } from './rx/from-topic-config.ts'
export { MillraceRecord } from './rx/millrace-record.ts'
export type { RecordChanges } from './rx/millrace-record.ts'
export type { Hold } from './rx/hold.ts'
export { toTopic } from './rx/to-topic.ts'
export type { SinkRecord } from './rx/to-topic.ts'
