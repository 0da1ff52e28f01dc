// What the main thread and its worker threads tell each other. None of it is a
// record: records travel through millrace. Lines go to producer threads in chunks;
// consumer threads say twice a second what they have counted.

import type { MillraceHandle } from '../../src/index.ts'
import type { ActivitySnapshot } from './activity-view.ts'
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
  readonly progress: SharedArrayBuffer
  readonly partitions: readonly number[]
}

/** The producers are done: `endOffsets`, by partition, are where to stop. */
export interface ToConsumer {
  readonly kind: 'end'
  readonly endOffsets: readonly number[]
}

export type FromConsumer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'view'; readonly view: ActivitySnapshot }
  | { readonly kind: 'done'; readonly report: ConsumerReport }

export interface ConsumerReport {
  readonly totals: LedgerTotals
  /** From the first record to the last. */
  readonly readMs: number
}
