// A thread of a user's under torture: attaches, sends or reads as its task says, and writes
// down on its tape what it did, until it is terminated wherever it is, told to finish, or
// its tape is full. What it does not expect ends it with that error.

import { workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import { killPoints } from '../../src/kill-points.ts'
import { seededRandom } from '../../src/random.ts'
import { FaultWords } from '../faults/fault-words.ts'
import { bytesTopic } from '../faults/sent-ledger.ts'
import { CLOSED, ReadTape, SendTape } from './history.ts'
import { ConsumerWork } from './consumer-work.ts'
import { ProducerWork } from './producer-work.ts'
import type { TortureThreadData } from './torture-tasks.ts'
import { RoundWords, ThreadWords } from './torture-words.ts'

const data = workerData as TortureThreadData
const faults = new FaultWords(data.faults)
killPoints.hook = (point) => {
  // Stands still until it is terminated or told to go on: what else a thread of a user's does, nobody knows.
  if (faults.pass(0, point) !== undefined) faults.stand(0)
}

const millrace = await attachMillrace(data.handle)
const words = new ThreadWords(data.words)
const context = {
  millrace,
  words,
  topics: await Promise.all(data.topics.map(async (topic) => ({ ...topic, bound: await bytesTopic(millrace, topic.name) }))),
  round: new RoundWords(data.round),
  random: seededRandom(data.seed),
}
words.works()
const { task } = data
if (task.role === 'producer') {
  const tape = new SendTape(data.tape)
  await new ProducerWork(context, task, data.producer, tape).run()
  tape.end(CLOSED)
} else {
  const tape = new ReadTape(data.tape)
  await new ConsumerWork(context, task, tape).run()
  tape.end(CLOSED)
}
await millrace.close()
