// What the threads of a group's tests share.

import { defineTopic, string } from '../../src/index.ts'

export const GROUP_TOPIC = defineTopic('group-work', { partitions: 6, value: string() })

export type GroupMessage =
  | { readonly assigned: readonly number[] }
  | { readonly revoked: readonly number[] }
  | { readonly lost: readonly number[] }
  | { readonly partition: number; readonly offset: number; readonly value: string }
  | 'closed'
