// What shared memory says of a millrace that does not move: who leads, who sleeps, who
// stands still at a fault, and what log memory is taken by.

import { THREAD_KIND_BROKER, THREAD_KIND_IO } from '../../src/bells.ts'
import type { ControlBlock } from '../../src/log/control-block.ts'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_OWNER,
  BLOCK_ROW_WORDS,
  DURABILITY_MEMORY,
  STATE_ALLOCATED,
  STATE_FREE,
} from '../../src/log/log-memory-layout.ts'
import type { SlotBits } from '../../src/log/slot-bits.ts'
import type { FaultyMillrace } from '../faults/faulty-millrace.ts'
import { PENDING, ReadTape } from './history.ts'
import type { TortureWorker } from './torture-worker.ts'

const BELL_LINE_WORDS = 16

export function describeSharedState(faulty: FaultyMillrace, controls: readonly ControlBlock[]): string[] {
  const { cluster, engine, faults } = faulty
  const brokers = cluster.brokers.map(({ brokerId, incarnation }) => `${brokerId}.${incarnation} (${faults.bites(brokerId)} bites)`)
  const metadata = engine.controlBlock(0)
  return [
    `brokers alive: ${brokers.join(', ')}; ${describeBells(faulty)}`,
    `metadata log: ${describeLog(metadata)}`,
    ...controls.map((control, log) => `log ${log}: ${describeLog(control)}`),
    describeMarks(faulty),
    ...describeMemory(faulty),
  ]
}

function describeLog(control: ControlBlock): string {
  const { leaderBroker, leaderEpoch, logStartOffset, memoryStartOffset, logEndOffset, highWatermark, heldGranules } = control
  const files = control.durability === DURABILITY_MEMORY ? '' : `, written ${control.writtenEndOffset}, synced ${control.syncedEndOffset}`
  const ends = `${logStartOffset} (in memory ${memoryStartOffset}) to ${logEndOffset}, watermark ${highWatermark}${files}`
  return `leader ${leaderBroker} epoch ${leaderEpoch}, ${ends}, ${heldGranules} granules`
}

function describeBells({ bells }: FaultyMillrace): string {
  const lines: string[] = []
  for (let id = 0; id < bells.words.length / BELL_LINE_WORDS; id++) {
    const [bell, incarnation, kind] = bells.words.subarray(id * BELL_LINE_WORDS, id * BELL_LINE_WORDS + 3)
    if ((incarnation! & 1) === 1)
      lines.push(
        `${kind === THREAD_KIND_BROKER ? 'broker' : kind === THREAD_KIND_IO ? 'I/O' : 'client'} thread ${id} ${bell === 1 ? 'parked' : 'awake'}`,
      )
  }
  return lines.join(', ')
}

/** Logs that the I/O thread is to look at, and those whose leaders are. */
function describeMarks({ engine: { memory } }: FaultyMillrace): string {
  const slotsOf = (bits: SlotBits): string => {
    const slots: number[] = []
    for (let slot = bits.nextMarked(0, memory.slotsHigh); slot >= 0; slot = bits.nextMarked(slot + 1, memory.slotsHigh)) slots.push(slot)
    return slots.join() || 'none'
  }
  return `I/O thread: ${String(memory.ioThread)}; to be written: slots ${slotsOf(memory.writeWanted)}; written, and the leader has not looked: ${slotsOf(memory.written)}`
}

function describeMemory({ engine: { memory } }: FaultyMillrace): string[] {
  const lines: string[] = []
  const granules = memory.granuleCount / memory.blockCount
  for (let block = 0; block < memory.blockCount; block++) {
    const owner = Atomics.load(memory.blockWords, BLOCK_HEADER_BYTES / 4 + block * BLOCK_ROW_WORDS + BLOCK_OWNER)
    if (owner === 0) continue
    let [taken, free, returned] = [0, 0, 0]
    for (let granule = block * granules; granule < (block + 1) * granules; ) {
      const state = memory.extents.state(granule)
      const size = state === STATE_FREE ? 1 : 1 << memory.extents.order(granule)
      if (state === STATE_FREE) free += size
      else if (state === STATE_ALLOCATED) taken += size
      else returned += size
      granule += size
    }
    lines.push(
      `block ${block}: of broker ${(owner & 0xff) - 1}.${owner >>> 8}, ${taken} granules taken, ${free} free, ${returned} returned`,
    )
  }
  return lines
}

/** What a thread of a user's has done, and what it waits for. */
export function describeThread({ name, tape, words }: TortureWorker): string {
  const counts = `${name}: ${words.isWorking ? '' : 'not attached, '}${tape.rows} rows, ${words.done} done, ${words.failed} failed`
  if (tape instanceof ReadTape) return counts
  const pending: string[] = []
  for (let row = 0; row < tape.rows; row++) if (tape.outcome[row] === PENDING) pending.push(`${row}→${tape.log[row]}`)
  return `${counts}, ${pending.length} pending: ${pending.slice(0, 20).join(' ')}`
}
