import { expectTypeOf } from 'vitest'
import { assert, assertNever } from '../../src/assert.ts'
import { MillraceError } from '../../src/errors.ts'
import { brokerId, partitionIndex, slot, threadId } from '../../src/ids.ts'
import type { ErrorName, KafkaErrorName } from '../../src/errors.ts'
import type { BrokerId, PartitionIndex, Slot, ThreadId, TopicId } from '../../src/ids.ts'

// One kind of id is not taken for another, nor a plain number for any; each is a number.
declare function lead(broker: BrokerId, partition: PartitionIndex): void
lead(brokerId(1), partitionIndex(0))
// @ts-expect-error: a thread is no broker
lead(threadId(1), partitionIndex(0))
// @ts-expect-error: the ids are in the wrong order
lead(partitionIndex(0), brokerId(1))
// @ts-expect-error: a plain number is no id
lead(1, 0)
expectTypeOf(slot(1)).toExtend<number>()
expectTypeOf<Slot>().not.toExtend<ThreadId>()

// A topic id is four words.
// @ts-expect-error: three words are none
export const short: TopicId = [1, 2, 3]

// An error's code is Kafka's name or one of ours, and nothing else.
expectTypeOf<KafkaErrorName>().toExtend<ErrorName>()
expectTypeOf(new MillraceError('CLOSED', 'x').code).toEqualTypeOf<ErrorName>()
// @ts-expect-error: there is no such error
new MillraceError('CLOSD', 'x')
// @ts-expect-error: the code is not for others to change
new MillraceError('CLOSED', 'x').code = 'ABORTED'

// Assertions narrow.
export function half(value: string | number): number {
  assert(typeof value === 'number', 'it is a number')
  expectTypeOf(value).toEqualTypeOf<number>()
  return value / 2
}

export function cores(role: 'leader' | 'follower'): number {
  switch (role) {
    case 'leader':
      return 1
    case 'follower':
      return 0
    default:
      return assertNever(role, 'role')
  }
}

export function incomplete(role: 'leader' | 'follower'): number {
  // @ts-expect-error: a follower is left over
  return role === 'leader' ? 1 : assertNever(role, 'role')
}
