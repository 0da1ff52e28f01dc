// The nouns of the cluster as types. Brands keep a partition index from being
// passed where a broker id is meant; at run time they are plain numbers.

declare const brand: unique symbol
type Branded<T, Name extends string> = T & { readonly [brand]: Name }

/** A broker of this process, 0 to 63. */
export type BrokerId = Branded<number, 'BrokerId'>
/** A thread that has a bell, 0 to 255: brokers and attached threads alike. */
export type ThreadId = Branded<number, 'ThreadId'>
/** The row of a replica in the partition table: its control block. */
export type Slot = Branded<number, 'Slot'>
/** A partition of a topic, from 0. */
export type PartitionIndex = Branded<number, 'PartitionIndex'>

export const brokerId = (value: number): BrokerId => value as BrokerId
export const threadId = (value: number): ThreadId => value as ThreadId
export const slot = (value: number): Slot => value as Slot
export const partitionIndex = (value: number): PartitionIndex => value as PartitionIndex

export const BROKERS_MAX = 64
export const THREADS_MAX = 256

/** A topic's 16-byte id (KIP-516), as four 32-bit words, big-endian: compared without allocation. */
export type TopicId = readonly [number, number, number, number]

export const TOPIC_ID_ZERO: TopicId = [0, 0, 0, 0]

const BASE64URL = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (digit) => digit.charCodeAt(0))

/** Kafka's printed form: 22 characters of base64url. Made often, as a key: a buffer for each takes three times as long. */
export function formatTopicId([a, b, c, d]: TopicId): string {
  const digit = (bits: number): number => BASE64URL[bits & 63]!
  // biome-ignore format: a word a line
  return String.fromCharCode(
    digit(a >>> 26), digit(a >>> 20), digit(a >>> 14), digit(a >>> 8), digit(a >>> 2), digit((a << 4) | (b >>> 28)),
    digit(b >>> 22), digit(b >>> 16), digit(b >>> 10), digit(b >>> 4), digit((b << 2) | (c >>> 30)),
    digit(c >>> 24), digit(c >>> 18), digit(c >>> 12), digit(c >>> 6), digit(c),
    digit(d >>> 26), digit(d >>> 20), digit(d >>> 14), digit(d >>> 8), digit(d >>> 2), digit(d << 4),
  )
}

export function parseTopicId(text: string): TopicId {
  if (!/^[\w-]{22}$/.test(text)) throw new RangeError(`a topic id is 22 characters of base64url, not "${text}"`)
  const bytes = Buffer.from(text, 'base64url')
  return [bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8), bytes.readInt32BE(12)]
}

export function equalTopicIds(a: TopicId, b: TopicId): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]
}
