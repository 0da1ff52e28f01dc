// What the test and its workers share: a definition is a plain value, importable anywhere.

import { defineTopic, json } from '../../src/index.ts'

export const numbers = defineTopic('numbers', { partitions: 4, value: json<{ from: string; n: number }>() })

/** What a worker is to do. */
export type Task =
  | { readonly do: 'produce'; readonly from: string; readonly count: number }
  | { readonly do: 'consume'; readonly partitions: readonly number[]; readonly count: number }
  | { readonly do: 'wait' }
  | { readonly do: 'send into nothing' }
