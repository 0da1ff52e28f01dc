// What the main thread and its worker threads tell each other. None of it is a
// record: records travel through millrace. Lines go to producer threads in chunks;
// consumer threads say what each batch adds to the counts.

import type { MillraceHandle } from '../../src/index.ts'
import type { ActivityShare } from './activity-view.ts'
import type { LedgerTotals } from './client-ledger.ts'
import type { LineChunk } from './line-router.ts'

export interface ProducerData {
  readonly handle: MillraceHandle
  readonly progress: SharedArrayBuffer
  readonly aheadBytesMax: number
}

export type ToProducer =
  | { readonly kind: 'lines'; readonly input: string; readonly shiftMs: number; readonly chunk: LineChunk }
  | { readonly kind: 'end' }

export type FromProducer =
  | { readonly kind: 'ready' }
  /** A chunk has been parsed and offered; the times are those of the lines, unshifted. */
  | { readonly kind: 'chunkDone'; readonly firstMs: number; readonly lastMs: number }
  /** Everything has been acked. */
  | { readonly kind: 'done'; readonly report: ProducerReport }

export interface ProducerReport {
  readonly malformed: number
  readonly totals: LedgerTotals
  /** Parsing, numbering and summing up. */
  readonly parseMs: number
  /** Encoding, offering, and waiting for the log's acks. */
  readonly offerMs: number
  /** Waiting for consumers that are behind. */
  readonly waitedMs: number
}

export interface ConsumerData {
  readonly handle: MillraceHandle
}

export type ToConsumer =
  /** All before these offsets has been counted, by whoever read it: read on from there. */
  | { readonly kind: 'start'; readonly positions: readonly PartitionPosition[] }
  /** All has been read. */
  | { readonly kind: 'end' }

export interface PartitionPosition {
  readonly partition: number
  readonly position: number
}

export type FromConsumer =
  | { readonly kind: 'ready' }
  /** Partitions come; it waits for `start`. */
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  /** Partitions have gone; nothing more of them follows. */
  | { readonly kind: 'released'; readonly partitions: readonly number[] }
  | { readonly kind: 'counted'; readonly share: ActivityShare }
  | { readonly kind: 'done'; readonly report: ConsumerReport }

export interface ConsumerReport {
  /** From the first record to the last. */
  readonly readMs: number
}
