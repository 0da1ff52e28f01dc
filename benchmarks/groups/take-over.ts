// How long the partitions of a member are read by nobody when its thread dies: from the call that
// ends the thread to the first batch of each of its partitions in the hands of another member.
//
//   producer (this thread) ──▶ partitions ──▶ member threads, one group ──message──▶ who has which, and since when
//
// All partitions get a record a millisecond or so, so that the first batch waits for no record.

import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, openMillrace } from '../../src/index.ts'
import type { Measurement, Running } from '../harness/bench-case.ts'
import { BenchThread, closeAll } from '../harness/bench-thread.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { quantile } from '../harness/statistics.ts'

export interface TakeOverOptions {
  readonly members: number
  readonly partitions: number
  readonly brokers: number
}

const TOPIC = 'work'
const VALUE_BYTES = 100
/** A take-over that has not come by then has failed. */
const LOST_AFTER_SECONDS = 20

interface Member {
  readonly thread: BenchThread
}

export async function openTakeOver({ members, partitions, brokers }: TakeOverOptions): Promise<Running> {
  const millrace = await openMillrace({ brokers })
  const topic = await millrace.topic(TOPIC, { partitions, value: bytes() })
  const producer = millrace.producer()
  const value = new Uint8Array(VALUE_BYTES)
  let isOver = false
  const produce = async (partition: number): Promise<void> => {
    while (!isOver) {
      await producer.send(topic, { value, partition })
      await sleep(1)
    }
  }
  const start = async (): Promise<Member> => {
    const thread = new BenchThread('member', new URL('./group-member-thread.ts', import.meta.url), {
      workerData: { handle: millrace.handle, topic: TOPIC, partitions },
    })
    await thread.ask('ready', null)
    return { thread }
  }
  const group = await Promise.all(Array.from({ length: members }, start))
  const owners = (): Promise<Map<number, number>[]> =>
    Promise.all(group.map(async ({ thread }) => new Map(await thread.ask<[number, number][]>('owned', null))))
  const shared = async (): Promise<Map<number, number>[]> => {
    for (const until = monotonicSeconds() + LOST_AFTER_SECONDS; ; ) {
      const owned = await owners()
      const fair = partitions / group.length
      if (owned.reduce((sum, one) => sum + one.size, 0) === partitions && owned.every(({ size }) => Math.abs(size - fair) < 1)) return owned
      if (monotonicSeconds() > until) throw new Error('no result: the group does not come to rest')
    }
  }
  const produced = Promise.all(Array.from({ length: partitions }, (_, partition) => produce(partition)))
  produced.catch(() => undefined)
  return {
    /** `deaths` is how many members' threads are ended, one after the other; each is replaced when its partitions are read. */
    async run(deaths: number): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const tookMs: number[] = []
      for (let death = 0; death < deaths; death++) {
        const victim = death % group.length
        const lost = (await shared())[victim]!
        const [dead] = group.splice(victim, 1)
        const diedSeconds = monotonicSeconds()
        await dead!.thread.close()
        for (const until = diedSeconds + LOST_AFTER_SECONDS; lost.size > 0; ) {
          for (const owned of await owners()) {
            for (const [taken, sinceSeconds] of owned) {
              if (!lost.delete(taken)) continue
              if (sinceSeconds < diedSeconds) throw new Error(`no result: partition ${taken} was read by two`)
              tookMs.push((sinceSeconds - diedSeconds) * 1_000)
            }
          }
          if (monotonicSeconds() > until) throw new Error(`no result: ${lost.size} partitions of a dead member are read by nobody`)
        }
        group.splice(victim, 0, await start())
      }
      return {
        arrival: null,
        bytes: 0,
        seconds: monotonicSeconds() - startSeconds,
        values: { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99), max: quantile(tookMs, 1) },
        detail: { tookMs },
      }
    },
    close: async () => {
      isOver = true
      await closeAll([
        () => produced.then(() => undefined),
        ...group.map(
          ({ thread }) =>
            () =>
              thread.close(),
        ),
        () => millrace.close(),
      ])
    },
  }
}
