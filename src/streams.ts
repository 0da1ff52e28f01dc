// Every public name of millrace/streams.

export { readableFrom } from './streams/readable-from.ts'
export type { TopicReadable } from './streams/readable-from.ts'
export { readableStreamFrom } from './streams/readable-stream-from.ts'
export { writableTo } from './streams/writable-to.ts'
export { writableStreamTo } from './streams/writable-stream-to.ts'
export { sendAll } from './streams/send-all.ts'
export type { SentCounts } from './streams/send-all.ts'
export type { ReadStreamOptions, SendAllOptions, WriteStreamOptions } from './streams/stream-options.ts'
