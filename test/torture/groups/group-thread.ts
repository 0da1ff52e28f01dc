// A thread of members under torture: each of its places has one member after the other, until
// it is terminated wherever it is, or told to finish. It stands still when it is told to.

import { workerData } from 'node:worker_threads'
import { AttachedMillrace } from '../../../src/client/millrace.ts'
import { systemClock } from '../../../src/clock.ts'
import { EmbeddedEngine } from '../../../src/engine/embedded-engine.ts'
import { seededRandom } from '../../../src/random.ts'
import { bytesTopic } from '../../faults/sent-ledger.ts'
import { GroupTape } from '../group-history.ts'
import { CLOSED, ReadTape } from '../history.ts'
import { RoundWords } from '../torture-words.ts'
import type { GroupThreadData } from './group-tasks.ts'
import { GroupThreadWords, GroupWords } from './group-words.ts'
import { watchLooks } from './looked-since.ts'
import { runSlot } from './member-work.ts'

// Members without a partition, loops that end without a commit: here they are meant.
process.removeAllListeners('warning')

const data = workerData as GroupThreadData
const words = new GroupThreadWords(data.words)
const round = new RoundWords(data.round)
const tape = new GroupTape(data.tape)
const reads = new ReadTape(data.reads)
// As attachMillrace does.
const engine = await EmbeddedEngine.attach(data.handle, { clock: systemClock })
const looks = watchLooks(engine, round)
const millrace = new AttachedMillrace(engine, data.handle)
const topics = await Promise.all(data.topics.map(async (topic) => ({ ...topic, bound: await bytesTopic(millrace, topic.name) })))
const groups = new GroupWords(data.groups, round.logs)

async function standStill(): Promise<void> {
  while (!words.isToFinish) {
    await words.stood()
    looks.ended()
  }
}

void standStill()
words.works()
const context = { millrace, topics, round, groups, words, tape, reads, lookedSince: () => looks.since }
await Promise.all(data.slots.map((slot, i) => runSlot({ ...context, random: seededRandom((data.seed + i) >>> 0) }, slot)))
tape.end(CLOSED)
reads.end(CLOSED)
await millrace.close()
// A wait for being told to stand still keeps no thread alive, but says so late.
process.exit(0)
