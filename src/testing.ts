// Every public name of millrace/testing.

export { testMillrace } from './testing/open-test-millrace.ts'
export { TestMillrace } from './testing/test-millrace.ts'
export type { ExpectOptions, WaitOptions } from './testing/test-millrace.ts'
export { InlineMillrace } from './testing/inline-millrace.ts'
export type { TestMillraceOptions } from './testing/test-millrace-config.ts'
export type { ExpectedRecord, TestRecord } from './testing/expected-records.ts'
