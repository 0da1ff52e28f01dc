// What an operator learns of the chain above it while it subscribes: subscribing is
// synchronous through every operator of RxJS, so sources and operators further up can
// say who they are. One thread.

import type { Serde } from '../client/serde.ts'
import type { BoundTopic } from '../client/topic.ts'
import type { AttachedMillrace } from '../client/millrace.ts'
import type { FilledFromTopicOptions } from './from-topic-config.ts'
import type { SourcePartition } from './source-partition.ts'

export interface Chain {
  /** Whether a source that tracks its records is among what is above, so that what comes by must be held. */
  tracked: boolean
  /** The key was changed since the records were partitioned: by the operator nearest to this one. */
  rekeyed: Rekeyed | undefined
  /** Records of one partition may come in another order than that of their offsets. */
  unordered: boolean
  readonly sources: ChainSource[]
}

/** What is known of the records' new key, and of their value. */
export interface Rekeyed {
  readonly key: Serde<unknown, never> | undefined
  readonly value: Serde<unknown, never> | undefined
}

/** A subscription of `fromTopic` that an operator is fed by. */
export interface ChainSource {
  readonly owner: AttachedMillrace
  readonly topics: readonly BoundTopic[]
  readonly groupId: string | undefined
  readonly options: FilledFromTopicOptions
  /** Those that it reads at this moment; undefined: that is not known yet, its group is being joined. */
  partitions(): readonly SourcePartition[] | undefined
  /** Calls the listener whenever all that was there has been emitted. Gives what ends that. */
  onCaughtUp(listener: () => void): () => void
  /** What is held or pinned is never released: a source that has completed waits for it no longer. */
  abandon(): void
}

export function newChain(): Chain {
  return { tracked: false, rekeyed: undefined, unordered: false, sources: [] }
}

let subscribing: Chain | undefined

/**
 * Subscribes upstream, and has what is there noted in `chain`, and in that of the operator further
 * down. With `isHidden` that one hears nothing: what comes out is not what goes in.
 */
export function subscribeUpstream<T>(chain: Chain, subscribe: () => T, { isHidden = false } = {}): T {
  const outer = subscribing
  subscribing = chain
  try {
    return subscribe()
  } finally {
    subscribing = outer
    if (outer !== undefined && !isHidden) passOn(chain, outer)
  }
}

/** Said by `fromTopic` when it is subscribed to. */
export function noteSource(source: ChainSource): void {
  if (subscribing === undefined) return
  if (source.options.lossless) subscribing.tracked = true
  subscribing.sources.push(source)
}

/** Said by an operator that has changed the key, when it is subscribed to, before it subscribes further. */
export function noteRekeyed(rekeyed: Rekeyed): void {
  if (subscribing !== undefined) subscribing.rekeyed ??= rekeyed
}

/** Said by an operator that hands records on in another order, when it is subscribed to, before it subscribes further. */
export function noteUnordered(): void {
  if (subscribing !== undefined) subscribing.unordered = true
}

/** Said by the input of a chain inside an operator, when it is subscribed to: it is fed by what is above that operator. */
export function noteChain(chain: Chain): void {
  if (subscribing !== undefined) passOn(chain, subscribing)
}

/** Said by an operator that is torn down while it holds records, and will not release them. */
export function abandonHolds(chain: Chain): void {
  for (const source of chain.sources) source.abandon()
}

function passOn(from: Chain, to: Chain): void {
  if (from.tracked) to.tracked = true
  if (from.unordered) to.unordered = true
  to.rekeyed ??= from.rekeyed
  // By several ways, where a chain has branched.
  for (const source of from.sources) if (!to.sources.includes(source)) to.sources.push(source)
}
