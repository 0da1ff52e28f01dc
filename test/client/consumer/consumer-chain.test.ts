import { expect, test } from 'vitest'
import { ConsumerBatch } from '../../../src/client/consumer/consumer-batch.ts'
import { ConsumerChain } from '../../../src/client/consumer/consumer-chain.ts'
import type { ConsumerChainParts } from '../../../src/client/consumer/consumer-chain.ts'
import { OwnedPartition } from '../../../src/client/consumer/owned-partition.ts'

test('a batch whose partition goes to another before whoever awaits it has it says so', async () => {
  const fetcher = { topic: undefined, source: undefined, partition: 0 }
  const reader = { remove: () => undefined }
  const partition = new OwnedPartition({ topic: { name: 'a' }, fetcher, reader, commit: () => Promise.resolve() } as never)
  const range = { firstOffset: 0, nextOffset: 1, bytes: new Uint8Array(0), length: 0 }
  const batch = new ConsumerBatch(partition, 0, range, undefined as never, undefined as never)
  const parts = {
    openLoop: () => ({ next: () => Promise.resolve({ value: batch, done: false }) }),
    reads: () => [],
    turnYield: { turn: () => Promise.resolve() },
  } as unknown as ConsumerChainParts
  const chain = new ConsumerChain(parts, { untilEnd: false } as never)
  const next = chain.next()
  expect(chain.isGone(batch)).toBe(false)
  partition.gone()
  expect(chain.isGone((await next)!)).toBe(true)
})
