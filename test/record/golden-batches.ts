// The bytes that Apache Kafka 4.3.1 made, and what is in them.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FILE = new URL('../../../shared/reference/golden/batches-and-hashes.jsonl.gz', import.meta.url)

export interface GoldenRecord {
  readonly offset: number
  readonly timestamp: number
  /** Hex, as all bytes here. */
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

export interface GoldenBatch {
  readonly kind: 'batch'
  readonly name: string
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  readonly baseOffset: number
  readonly logAppendTime: boolean
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  readonly leaderEpoch: number
  readonly bytes: string
  readonly records: readonly GoldenRecord[]
}

export interface GoldenControl {
  readonly kind: 'control'
  readonly name: 'COMMIT' | 'ABORT'
  readonly baseOffset: number
  readonly timestamp: number
  readonly leaderEpoch: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly bytes: string
}

export interface GoldenHash {
  readonly kind: 'murmur2'
  readonly key: string
  readonly hash: number
  readonly partitionOf: Readonly<Record<string, number>>
}

export interface GoldenVarlong {
  readonly kind: 'varlong'
  /** Decimal: some are beyond a number. */
  readonly value: string
  readonly bytes: string
}

export interface GoldenCoordinatorPartition {
  readonly kind: 'coordinatorPartition'
  /** Of a group, or a transactional id. */
  readonly id: string
  readonly of50: number
}

type Golden = GoldenBatch | GoldenControl | GoldenHash | GoldenVarlong | GoldenCoordinatorPartition

const rows: readonly Golden[] = gunzipSync(readFileSync(FILE))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Golden)

export const goldenBatches = rows.filter((row) => row.kind === 'batch')
export const uncompressedBatches = goldenBatches.filter(({ compression }) => compression === 'none')
export const compressedBatches = goldenBatches.filter(({ compression }) => compression !== 'none')
export const goldenControls = rows.filter((row) => row.kind === 'control')
export const goldenHashes = rows.filter((row) => row.kind === 'murmur2')
export const goldenCoordinatorPartitions = rows.filter((row) => row.kind === 'coordinatorPartition')
export const goldenVarlongs = rows.filter((row) => row.kind === 'varlong')

export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(start, end)).toString('hex')
}
