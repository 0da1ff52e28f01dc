// A process that runs the road with the heap probe in every thread, and prints what each
// thread allocated on its JavaScript heap in steady state. Started by allocations.ts.

import { BroadcastChannel } from 'node:worker_threads'
import { openRoad } from '../road/road.ts'
import type { RoadOptions } from '../road/road.ts'
import { PROBE_CHANNEL } from './heap-probe.ts'
import type { Allocator, ProbeAnswer, ProbeCommand } from './heap-probe.ts'

export interface ProfileOptions {
  readonly road: RoadOptions
  readonly warmUps: number
  readonly records: number
  /** Control: so many bytes allocated at once in each thread while it is profiled. */
  readonly burstBytes: number
}

export type Role = 'producer' | 'reader' | 'broker' | 'main'

export interface ThreadAllocations {
  readonly role: Role
  readonly bytes: number
  readonly top: readonly Allocator[]
}

export interface ProfiledRoad {
  readonly records: number
  readonly checksum: number
  readonly expectedRecords: number
  readonly expectedChecksum: number
  readonly seconds: number
  readonly threads: readonly ThreadAllocations[]
}

const ANSWER_TIMEOUT_MS = 20_000

class Probe {
  readonly #channel = new BroadcastChannel(PROBE_CHANNEL)

  /** Sends a command and gathers the answers of so many threads. */
  async ask(command: ProbeCommand, threads: number): Promise<ProbeAnswer[]> {
    const answers: ProbeAnswer[] = []
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${answers.length} of ${threads} threads answered "${command.command}"`)),
        ANSWER_TIMEOUT_MS,
      )
      this.#channel.onmessage = (event): void => {
        const message = (event as unknown as { data: ProbeCommand | ProbeAnswer }).data
        if (!('answer' in message) || message.answer !== command.command) return
        answers.push(message)
        if (answers.length < threads) return
        clearTimeout(timer)
        resolve()
      }
      this.#channel.postMessage(command)
    })
    return answers
  }

  close(): void {
    this.#channel.close()
  }
}

const options = JSON.parse(process.argv[2] ?? '') as ProfileOptions
const road = await openRoad(options.road)
const probe = new Probe()
try {
  for (let i = 0; i < options.warmUps; i++) await road.run(options.records)
  // Main, producers, readers, brokers: every thread of the process has the probe.
  const threads = 1 + road.producerThreadIds.length + road.readerThreadIds.length + options.road.strands
  await probe.ask({ command: 'start' }, threads)
  const { arrival, seconds } = await road.run(options.records)
  if (options.burstBytes > 0) await probe.ask({ command: 'allocate', bytes: options.burstBytes }, threads)
  const stopped = await probe.ask({ command: 'stop' }, threads)
  const roleOf = (answer: ProbeAnswer): Role => {
    if (answer.main) return 'main'
    if (road.producerThreadIds.includes(answer.threadId)) return 'producer'
    return road.readerThreadIds.includes(answer.threadId) ? 'reader' : 'broker'
  }
  const result: ProfiledRoad = {
    ...arrival!,
    seconds,
    threads: stopped.map((answer) => ({ role: roleOf(answer), bytes: answer.bytes, top: answer.top })),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  probe.close()
  await road.close()
}
