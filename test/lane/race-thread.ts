// The threads of lane-race.test.ts: each runs one side of a lane at full speed, parks
// by bell with Atomics.wait (as only a test may), and counts what it saw.

import { parentPort, workerData } from 'node:worker_threads'
import { Bells } from '../../src/bells.ts'
import type { ThreadId } from '../../src/ids.ts'
import { openLane } from '../../src/lane/lane.ts'
import { LaneReader } from '../../src/lane/lane-reader.ts'
import { LaneWriter, OFFERED } from '../../src/lane/lane-writer.ts'
import { seededRandom } from '../../src/random.ts'
import { fillPattern, patternFault } from './pattern-batch.ts'

export interface RaceData {
  readonly role: 'stream producer' | 'stream broker' | 'closing producer' | 'closing broker'
  readonly bells: SharedArrayBuffer
  readonly lanes: readonly SharedArrayBuffer[]
  readonly control: SharedArrayBuffer
  readonly frames: number
  readonly inFlightMax: number
  readonly batchBytesMax: number
  readonly seed: number
}

export type RaceOutcomes = Record<string, number>

// Words of `control`.
export const BARRIER = 0
export const OFFERED_COUNT = 1
export const TAKEN_COUNT = 2

/** Far beyond any wait of a busy machine: who sleeps so long was not woken. */
const OVERSLEPT_MS = 10_000

const data = workerData as RaceData
const bells = new Bells(data.bells)
const control = new Int32Array(data.control)
const random = seededRandom(data.seed)
const outcomes: RaceOutcomes = {}
const ring = (id: ThreadId): boolean => {
  const woken = bells.ring(id)
  if (woken) count('rang a parked thread')
  return woken
}

function count(outcome: string, by = 1): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + by
}

/** Arms, looks once more, sleeps until rung. */
function park(id: ThreadId, hasWork: () => boolean): void {
  bells.arm(id)
  if (hasWork()) {
    bells.disarm(id)
    count('found work on the second look')
    return
  }
  const woken = Atomics.wait(bells.words, id * 16, 1, OVERSLEPT_MS)
  if (woken === 'ok') count('slept and was woken')
  else if (woken === 'not-equal') count('was rung before it slept')
  else count(hasWork() ? 'overslept: work was there' : 'overslept: no work came')
  bells.disarm(id)
}

/** Offers frames, keeps at most `inFlightMax` unacked, waits parked. */
function streamProducer(): void {
  const writer = new LaneWriter(data.lanes[0]!, ring)
  const self = openLane(data.lanes[0]!).producerThread
  const batch = new Uint8Array(data.batchBytesMax)
  let acked = 0
  const handler = {
    onAck(batchId: number, errorCode: number, baseOffset: number): void {
      if (batchId !== acked) count('an ack out of order')
      else if (errorCode !== batchId % 7 || baseOffset !== batchId * 3) count('an ack torn')
      else count('acks whole and in order')
      acked++
    },
  }
  for (let n = 0; n < data.frames; n++) {
    const sizeBytes = 61 + random.below(data.batchBytesMax - 61)
    fillPattern(batch, n, sizeBytes)
    writer.frame.batchId = n
    while (n - acked >= data.inFlightMax || writer.offer(batch, 0, sizeBytes) !== OFFERED) {
      if (writer.pollAcks(handler, 1e9) > 0) continue
      writer.wantWake()
      park(self, () => writer.hasAcks() || (n - acked < data.inFlightMax && writer.hasRoom(sizeBytes)))
    }
  }
  while (acked < data.frames) {
    if (writer.pollAcks(handler, 1e9) > 0) continue
    writer.wantWake()
    park(self, () => writer.hasAcks())
  }
  writer.close()
}

/** Takes frames until the lane is closed and empty, checks each, acks each. */
function streamBroker(): void {
  const reader = new LaneReader(data.lanes[0]!, ring)
  const self = openLane(data.lanes[0]!).brokerThread
  let next = 0
  const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
    const { batchId } = reader.frame
    if (batchId !== next) count(batchId > next ? 'a frame lost' : 'a frame doubled')
    else if (patternFault(batchId, bytes, start, end) !== undefined) count('a frame torn')
    else count('frames whole and in order')
    next = batchId + 1
    reader.ack(batchId, batchId % 7, batchId * 3, 0)
  }
  for (;;) {
    const frames = reader.poll({ onFrame }, 4096)
    reader.flush()
    if (frames > 0) continue
    const closed = reader.closedByProducer
    if (closed && reader.isEmpty()) break
    park(self, () => !reader.isEmpty() || reader.closedByProducer)
  }
}

/** Both threads meet here; counts up for ever. */
function barrier(round: number): void {
  Atomics.add(control, BARRIER, 1)
  Atomics.notify(control, BARRIER)
  for (let spins = 0; ; spins++) {
    const arrived = Atomics.load(control, BARRIER)
    if (arrived >= 2 * round) return
    if (spins > 1_000) Atomics.wait(control, BARRIER, arrived, 1)
  }
}

/** Offers until the broker closes, one lane after the other. */
function closingProducer(): void {
  let meeting = 0
  for (const lane of data.lanes) {
    const writer = new LaneWriter(lane, ring)
    const batch = new Uint8Array(200)
    barrier(++meeting)
    let offered = 0
    for (;;) {
      fillPattern(batch, offered, 200)
      writer.frame.batchId = offered
      const answer = writer.offer(batch, 0, 200)
      if (answer === OFFERED) offered++
      else if (answer === -2) break
      if (writer.pollAcks({ onAck: () => {} }, 0) > 0) count('an ack beyond the limit')
    }
    if (writer.offer(batch, 0, 200) === OFFERED) count('an offer taken after a refusal')
    Atomics.store(control, OFFERED_COUNT, offered)
    barrier(++meeting)
    barrier(++meeting)
    // Every frame that was taken is acked now, and no other.
    let acked = 0
    writer.pollAcks({ onAck: (batchId) => void (batchId === acked ? acked++ : count('an ack out of order')) }, 1e9)
    const taken = Atomics.load(control, TAKEN_COUNT)
    if (acked !== taken) count('acks and frames taken differ')
    else if (taken === offered) count('all that was offered was taken')
    else if (taken < offered) count('offered behind the last poll, never acked')
    else count('taken and never offered')
    barrier(++meeting)
  }
}

/** Takes a few frames of each lane and closes it. */
function closingBroker(): void {
  let meeting = 0
  for (const lane of data.lanes) {
    const reader = new LaneReader(lane, ring)
    barrier(++meeting)
    let taken = 0
    const onFrame = (bytes: Uint8Array, start: number, end: number): void => {
      if (reader.frame.batchId !== taken || patternFault(taken, bytes, start, end) !== undefined) count('a frame torn')
      reader.ack(reader.frame.batchId, 0, 0, 0)
      taken++
    }
    const closeAfter = random.below(12)
    let spins = random.below(2_000)
    while (taken < closeAfter && spins-- > 0) reader.poll({ onFrame }, 1)
    reader.close()
    reader.poll({ onFrame }, 1e9)
    reader.flush()
    Atomics.store(control, TAKEN_COUNT, taken)
    barrier(++meeting)
    barrier(++meeting)
    barrier(++meeting)
  }
}

switch (data.role) {
  case 'stream producer':
    streamProducer()
    break
  case 'stream broker':
    streamBroker()
    break
  case 'closing producer':
    closingProducer()
    break
  case 'closing broker':
    closingBroker()
    break
}
parentPort!.postMessage(outcomes)
