// The lanes that one broker reads, grouped by the client thread that writes them.
// Runs on the broker's thread.
// Holds: what a dead or closed client published is still read to the end before its
// lane goes; a scribbled lane costs its own client only.

import type { Bells } from '../bells.ts'
import { MillraceError } from '../errors.ts'
import type { FrameHandler } from '../lane/lane-reader.ts'
import { LaneReader } from '../lane/lane-reader.ts'

/** Bytes taken from one lane in one turn: Aeron's fragment limit, so that no lane starves the others. */
const LANE_BYTES_A_TURN = 256 * 1024

export interface LaneHandler {
  /** A whole batch; the bytes are shared memory and belong to the producer again after the call. */
  onBatch(lane: LaneReader, bytes: Uint8Array, start: number, end: number): void
  onCorruptLane(error: MillraceError): void
}

class PolledLane implements FrameHandler {
  readonly reader: LaneReader
  readonly client: object
  readonly #handler: LaneHandler
  clientGone = false

  constructor(reader: LaneReader, client: object, handler: LaneHandler) {
    this.reader = reader
    this.client = client
    this.#handler = handler
  }

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    this.#handler.onBatch(this.reader, bytes, start, end)
  }
}

export class BrokerLanes {
  readonly #bells: Bells
  readonly #handler: LaneHandler
  #lanes: PolledLane[] = []

  constructor(bells: Bells, handler: LaneHandler) {
    this.#bells = bells
    this.#handler = handler
  }

  get size(): number {
    return this.#lanes.length
  }

  /** `client`: whose lane it is. Not its thread's id, which another thread may have before this one's end is heard of. */
  open(buffer: SharedArrayBuffer, client: object): void {
    const reader = new LaneReader(buffer, (thread) => this.#bells.ring(thread))
    this.#lanes.push(new PolledLane(reader, client, this.#handler))
  }

  /** The client's port closed: its lanes go when they are empty. */
  clientGone(client: object): void {
    for (const lane of this.#lanes) if (lane.client === client) lane.clientGone = true
  }

  /** One round over all lanes; the number of batches taken. */
  poll(): number {
    let taken = 0
    let over = false
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!
      taken += this.#pollOne(lane)
      if (lane.clientGone || lane.reader.closedByProducer || lane.reader.damaged) over = true
    }
    if (over) this.#dropEmpty()
    return taken
  }

  /** Rings the producers that asked to hear of room or acks. */
  flush(): void {
    for (let i = 0; i < this.#lanes.length; i++) this.#lanes[i]!.reader.flush()
  }

  hasWork(): boolean {
    for (let i = 0; i < this.#lanes.length; i++) if (!this.#lanes[i]!.reader.isEmpty()) return true
    return false
  }

  /** Takes no more offers; what is published is still taken and answered. */
  refuseOffers(): void {
    for (const lane of this.#lanes) lane.reader.close()
  }

  close(): void {
    this.refuseOffers()
    this.#lanes = []
  }

  #pollOne(lane: PolledLane): number {
    try {
      return lane.reader.poll(lane, LANE_BYTES_A_TURN)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'CORRUPT_MESSAGE') throw error
      lane.reader.close()
      this.#lanes = this.#lanes.filter((other) => other !== lane)
      this.#handler.onCorruptLane(error)
      return 0
    }
  }

  #dropEmpty(): void {
    this.#lanes = this.#lanes.filter((lane) => {
      const { reader } = lane
      const isOver = reader.damaged || ((lane.clientGone || reader.closedByProducer) && reader.isEmpty())
      if (isOver) reader.close()
      return !isOver
    })
  }
}
