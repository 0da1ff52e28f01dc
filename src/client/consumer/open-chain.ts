// How a chain of operators gets at the loops of its consumer: they are no public API. Runs on
// the consumer's thread.

import type { BoundTopic } from '../topic.ts'
import type { Consumer } from './consumer.ts'
import type { ConsumerChain, ConsumerChainOptions } from './consumer-chain.ts'

/** Throws INVALID_REQUEST when a loop of this consumer reads one of the topics. */
export function openChain<K, V>(consumer: Consumer, topics: readonly BoundTopic[], options: ConsumerChainOptions): ConsumerChain<K, V> {
  return consumer['processings'].openChain(topics, options)
}
