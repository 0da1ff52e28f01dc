// What a process that is to be killed tells, a line each, before or after it happens: the only
// thing that is left of what it knew.
//
//   b                               it begins to open the directory
//   n <log> <first> <end>           found in a log when it was opened
//   o                               all is open, sends begin
//   s <log> <producer> <number>     this is sent next
//   a <log> <offset> <producer> <number>   it was told that the record is there
//   r <log> <offset> <producer> <number>   a consumer was given the record
//   e <text>                        what must not happen
//   c                               closed in order

import { writeSync } from 'node:fs'
import type { Random } from '../../../src/random.ts'
import { makeValue, valueSize } from '../record-value.ts'
import { seededRandom } from '../../../src/random.ts'

export interface ToldTopic {
  readonly name: string
  readonly durability: 'cache' | 'disk'
  readonly partitions: number
  /** Its partition 0, among the partitions of all. */
  readonly firstLog: number
}

/** What the process is started with. */
export interface DoomedTask {
  readonly dataDir: string
  readonly brokers: number
  readonly topics: readonly ToldTopic[]
  /** Of its producers: no other process gives the same. */
  readonly firstProducer: number
  readonly producers: number
  readonly inFlight: number
  readonly seed: number
}

const VALUE_BYTES_MAX = 20_000

/** The value of a record: whoever knows its number knows every byte of it. */
export function toldValue(producer: number, number: number): Uint8Array<ArrayBuffer> {
  const random: Random = seededRandom(Math.imul(producer, 0x9e37_79b1) ^ number)
  return makeValue(producer, number, valueSize(random, VALUE_BYTES_MAX))
}

/** Writes lines to the pipe; what was written is told, whatever comes then. */
export function tell(lines: string): void {
  const bytes = Buffer.from(`${lines}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      // The pipe is full: whoever reads it is slow.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error
    }
  }
}
