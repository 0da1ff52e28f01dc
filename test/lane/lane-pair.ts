// Both ends of one lane on one thread.

import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { allocateLane } from '../../src/lane/lane.ts'
import type { LaneOptions } from '../../src/lane/lane.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter } from '../../src/lane/lane-writer.ts'
import { patternBatch, patternFault } from './pattern-batch.ts'

export class LanePair {
  readonly bells = new Bells(Bells.allocate())
  readonly brokerThread = this.bells.claim(THREAD_KIND_BROKER).id
  readonly producerThread = this.bells.claim(THREAD_KIND_CLIENT).id
  readonly rung: number[] = []
  readonly buffer: SharedArrayBuffer
  readonly writer: LaneWriter
  readonly reader: LaneReader

  constructor(options: Partial<LaneOptions> = {}) {
    const { producerThread, brokerThread } = this
    this.buffer = allocateLane({ capacityBytes: 4096, ackSlots: 8, producerThread, brokerThread, ...options })
    this.writer = new LaneWriter(this.buffer, (id) => this.ring(id))
    this.reader = new LaneReader(this.buffer, (id) => this.ring(id))
  }

  readonly ring = (id: Parameters<Bells['ring']>[0]): boolean => {
    const woken = this.bells.ring(id)
    if (woken) this.rung.push(id)
    return woken
  }

  /** Offers batch `n` of so many bytes. */
  offer(n: number, sizeBytes: number): number {
    this.writer.frame.batchId = n
    return this.writer.offer(patternBatch(n, sizeBytes), 0, sizeBytes)
  }

  /** Polls once and checks each frame against its pattern; the batch ids that came. */
  poll(limitBytes = Number.POSITIVE_INFINITY): number[] {
    const ids: number[] = []
    const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
      const wrong = patternFault(this.reader.frame.batchId, bytes, start, end)
      if (wrong !== undefined) throw new Error(wrong)
      ids.push(this.reader.frame.batchId)
    }
    const count = this.reader.poll({ onFrame }, limitBytes)
    if (count !== ids.length) throw new Error(`poll said ${count} and handed on ${ids.length}`)
    return ids
  }

  acks(limit = Number.POSITIVE_INFINITY): number[] {
    const ids: number[] = []
    this.writer.pollAcks({ onAck: (batchId) => ids.push(batchId) }, limit)
    return ids
  }
}
