// `leader-epoch-checkpoint` of a partition directory: at which offset each leader epoch
// begins (KIP-101). An epoch may have no records.
// Pure; any thread.
//
//   0\n       version
//   2\n       rows
//   0 0\n     epoch, offset of its first record
//   3 1200\n
//
// Holds: epochs rise, offsets do not fall.

import { assert } from '../assert.ts'
import { damagedRow, decodeCheckpoint, encodeCheckpoint, parseWholeNumber } from './checkpoint-text.ts'

export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'

const INT32_MAX = 0x7fff_ffff
const REMEDY =
  'Put back a copy, or delete it while the log is closed: epochs are then read from the batches, without those that have no records.'

/** A leader epoch, and the offset at which it begins (Kafka: EpochEntry). */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

export function encodeLeaderEpochCheckpoint(epochs: readonly EpochStart[]): string {
  return encodeCheckpoint(
    epochs.map(({ epoch, startOffset }, i) => {
      const last = epochs[i - 1] ?? { epoch: -1, startOffset: 0 }
      assert(epoch > last.epoch && startOffset >= last.startOffset && Number.isSafeInteger(startOffset), 'leader epochs do not rise')
      return `${epoch} ${startOffset}`
    }),
  )
}

/** Throws UNSUPPORTED_VERSION for a newer format, and KAFKA_STORAGE_ERROR for text that is none of it. */
export function decodeLeaderEpochCheckpoint(path: string, text: string): EpochStart[] {
  const epochs: EpochStart[] = []
  for (const [row, words] of decodeCheckpoint(path, text, REMEDY).entries()) {
    const epoch = parseWholeNumber(words[0]!)
    const startOffset = parseWholeNumber(words[1] ?? '')
    const last = epochs.at(-1) ?? { epoch: -1, startOffset: 0 }
    // Written so that NaN is refused too.
    if (words.length !== 2 || !(epoch > last.epoch && epoch <= INT32_MAX && startOffset >= last.startOffset)) {
      const after = `an epoch above ${last.epoch} and an offset from ${last.startOffset} on`
      throw damagedRow(path, row, words, after, REMEDY)
    }
    epochs.push({ epoch, startOffset })
  }
  return epochs
}
