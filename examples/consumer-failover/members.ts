// The members as main sees them: their threads, what they have told, and who has which partition.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { MillraceHandle } from '../../src/index.ts' // in your code: from 'millrace'
import type { Changes } from '../user-activity/changes.ts'
import { PARTITIONS } from '../user-activity/cluster.ts'
import { nowMs } from './group.ts'
import type { FromMember, MemberData } from './member-thread.ts'

/** What a member has told. */
export type Told = FromMember & { readonly member: string }
export type ToldOfBatch = Told & { readonly kind: 'batch' }

export class Members {
  /** In the order in which it came. */
  readonly told: Told[] = []
  readonly #handle: MillraceHandle
  readonly #tally: SharedArrayBuffer
  readonly #changes: Changes
  readonly #threads = new Map<string, Worker>()
  readonly #owners: (string | undefined)[] = new Array<undefined>(PARTITIONS).fill(undefined)
  readonly #positions = new Array<number>(PARTITIONS).fill(0)

  constructor(handle: MillraceHandle, tally: SharedArrayBuffer, changes: Changes) {
    this.#handle = handle
    this.#tally = tally
    this.#changes = changes
  }

  /** By partition. */
  get owners(): (string | undefined)[] {
    return [...this.#owners]
  }

  partitionsOf(member: string): number[] {
    return [...this.#owners.keys()].filter((partition) => this.#owners[partition] === member)
  }

  /** Every partition has an owner, every member has some, and none has two more than another. */
  get isBalanced(): boolean {
    const counts = [...this.#threads.keys()].map((member) => this.partitionsOf(member).length)
    return counts.reduce((all, count) => all + count, 0) === PARTITIONS && Math.max(...counts) - Math.min(...counts) <= 1
  }

  /** A thread; with a `groupInstanceId`, a static member. */
  start(member: string, groupInstanceId?: string): void {
    const workerData: MemberData = { handle: this.#handle, tally: this.#tally, groupInstanceId }
    const thread = new Worker(new URL('./member-thread.ts', import.meta.url), { workerData, name: member })
    this.#threads.set(member, thread)
    thread.on('message', (message: FromMember) => this.#hear({ ...message, member }))
    thread.on('error', (error) => this.#changes.failed(error as Error))
    thread.on('exit', () => {
      if (this.#threads.get(member) === thread) this.#changes.failed(new Error(`${member} ended too early`))
    })
  }

  /** It leaves, with all that it has read committed, and its thread ends. */
  async stop(member: string): Promise<void> {
    const thread = this.#forget(member)
    const ended = once(thread, 'exit')
    thread.postMessage('close')
    await ended
  }

  /** Nobody asks it; gives the time of the call. */
  async terminate(member: string): Promise<number> {
    const thread = this.#forget(member)
    const ended = once(thread, 'exit')
    const atMs = nowMs()
    void thread.terminate()
    await ended
    return atMs
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads.keys()].map((member) => this.terminate(member)))
  }

  /** Behind the last record of a partition that was handed out. */
  position(partition: number): number {
    return this.#positions[partition]!
  }

  /** The first batch of a partition that this member has handed out since. */
  firstBatch(member: string, partition: number, sinceMs: number): ToldOfBatch | undefined {
    return this.batches(partition, sinceMs).find((batch) => batch.member === member)
  }

  batches(partition: number, fromMs = 0, toMs = Number.POSITIVE_INFINITY): ToldOfBatch[] {
    return this.told.filter(
      (told): told is ToldOfBatch => told.kind === 'batch' && told.partition === partition && told.atMs >= fromMs && told.atMs <= toMs,
    )
  }

  #forget(member: string): Worker {
    const thread = this.#threads.get(member)!
    this.#threads.delete(member)
    return thread
  }

  #hear(told: Told): void {
    this.told.push(told)
    if (told.kind === 'batch') this.#positions[told.partition] = Math.max(this.#positions[told.partition]!, told.nextOffset)
    else {
      for (const partition of told.partitions) {
        if (told.kind === 'assigned') this.#owners[partition] = told.member
        else if (this.#owners[partition] === told.member) this.#owners[partition] = undefined
      }
    }
    this.#changes.happened()
  }
}
