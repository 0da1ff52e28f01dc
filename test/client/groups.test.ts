// Groups of a real millrace: members on one thread and on many, that come, go, die and are
// opened again.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { openMillrace, string, topicPattern } from '../../src/index.ts'
import type { Consumer, ConsumerOptions, EmbeddedMillrace } from '../../src/index.ts'
import { GROUP_TOPIC } from './group-topic.ts'
import type { GroupMessage } from './group-topic.ts'

const PARTITIONS = 6
let open: EmbeddedMillrace[] = []
afterEach(async () => {
  for (const millrace of open) await millrace.close()
  open = []
})

async function opened(options: Parameters<typeof openMillrace>[0] = {}): Promise<EmbeddedMillrace> {
  const millrace = await openMillrace({ logMemoryBytes: 64 * 1024 * 1024, ...options })
  open.push(millrace)
  return millrace
}

/** Sends so many records to each partition, numbered on. */
class Work {
  readonly sent = Array.from({ length: PARTITIONS }, () => 0)
  readonly #millrace: EmbeddedMillrace

  constructor(millrace: EmbeddedMillrace) {
    this.#millrace = millrace
  }

  async send(each: number): Promise<void> {
    const topic = await this.#millrace.topic(GROUP_TOPIC)
    const records = this.sent.flatMap((from, partition) => Array.from({ length: each }, (_, at) => ({ partition, value: `${from + at}` })))
    for (const partition of this.sent.keys()) this.sent[partition]! += each
    const producer = this.#millrace.producer()
    await producer.sendAll(topic, records)
    await producer.close()
  }
}

/** What members have read, in the order in which they said so. */
class Ledger {
  readonly values = Array.from({ length: PARTITIONS }, () => [] as number[])
  readonly #waiting = new Set<() => void>()

  note(partition: number, value: string): void {
    this.values[partition]!.push(Number(value))
    this.look()
  }

  look(): void {
    for (const waiting of [...this.#waiting]) waiting()
  }

  async until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isTrue()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
    })
  }

  /** Everything that was sent was read. */
  all({ sent }: Work): Promise<void> {
    return this.until(() => this.values.every((values, partition) => new Set(values).size === sent[partition]))
  }
}

/** Reads until it is closed. */
class LocalMember {
  readonly consumer: Consumer
  readonly events: string[] = []
  readonly done: Promise<void>

  constructor(millrace: EmbeddedMillrace, ledger: Ledger, options: ConsumerOptions = {}) {
    const tell =
      (what: string) =>
      (partitions: readonly { partition: number }[]): void => {
        this.events.push(`${what} ${partitions.map(({ partition }) => partition).join(' ')}`)
        ledger.look()
      }
    const callbacks = { onAssigned: tell('assigned'), onRevoked: tell('revoked'), onLost: tell('lost') }
    this.consumer = millrace.consumer({ groupId: 'workers', ...callbacks, ...options })
    this.done = this.#read(millrace, ledger)
  }

  get partitions(): number[] {
    return this.consumer.assignment().map(({ partition }) => partition)
  }

  async #read(millrace: EmbeddedMillrace, ledger: Ledger): Promise<void> {
    const topic = await millrace.topic(GROUP_TOPIC)
    for await (const batch of this.consumer.batches(topic)) for (const { partition, value } of batch) ledger.note(partition, value)
  }
}

class ThreadMember {
  readonly worker: Worker
  readonly partitions = new Set<number>()
  readonly closed: Promise<void>

  constructor(millrace: EmbeddedMillrace, ledger: Ledger, options: ConsumerOptions = {}) {
    const workerData = { handle: millrace.handle, options: { groupId: 'workers', ...options } }
    this.worker = new Worker(new URL('./group-thread.ts', import.meta.url), { workerData })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.closed = promise
    this.worker.on('error', reject)
    this.worker.on('exit', () => resolve())
    this.worker.on('message', (message: GroupMessage) => {
      if (message === 'closed') return
      if ('value' in message) return ledger.note(message.partition, message.value)
      if ('assigned' in message) for (const partition of message.assigned) this.partitions.add(partition)
      else for (const partition of 'revoked' in message ? message.revoked : message.lost) this.partitions.delete(partition)
      ledger.look()
    })
  }

  close(): Promise<void> {
    this.worker.postMessage('close')
    return this.closed
  }
}

/** Each partition has one of these. */
function isShared(members: readonly { readonly partitions: Iterable<number> }[], at: readonly number[]): boolean {
  const all = members.flatMap(({ partitions }) => [...partitions])
  const counts = members.map(({ partitions }) => [...partitions].length).sort()
  return all.length === PARTITIONS && new Set(all).size === PARTITIONS && counts.join() === [...at].sort().join()
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, at) => at)

describe('members on one thread', () => {
  test('share partitions as they come and go, and read every record once, in order', async () => {
    const millrace = await opened()
    const work = new Work(millrace)
    const ledger = new Ledger()
    await work.send(50)
    const members = [new LocalMember(millrace, ledger)]
    await ledger.until(() => isShared(members, [6]))
    members.push(new LocalMember(millrace, ledger), new LocalMember(millrace, ledger))
    await ledger.until(() => isShared(members, [2, 2, 2]))
    await work.send(50)
    await ledger.all(work)
    await members[1]!.consumer.close()
    await members[1]!.done
    await ledger.until(() => isShared([members[0]!, members[2]!], [3, 3]))
    await work.send(50)
    await ledger.all(work)
    for (const member of members) await member.consumer.close()
    for (const values of ledger.values) expect(values).toEqual(inOrder(150))
    const topic = await millrace.topic(GROUP_TOPIC)
    const partitions = inOrder(PARTITIONS).map((partition) => ({ topic, partition }))
    const committed = await millrace.consumer({ groupId: 'workers' }).committed(partitions)
    expect(committed.map((each) => each?.offset)).toEqual(partitions.map(() => 150))
  })

  test('read by pattern what is made later', async () => {
    const millrace = await opened()
    const consumer = millrace.consumer({ groupId: 'all' })
    const records = consumer.records(topicPattern(/^made-/, { value: string() }))
    const first = records.next()
    const topic = await millrace.topic('made-later', { value: string(), partitions: 1 })
    await millrace.producer().send(topic, { value: 'here' })
    const { value } = await first
    expect([value!.topic, value!.value]).toEqual(['made-later', 'here'])
    await consumer.close()
  })

  test('notice partitions that a topic is given', async () => {
    const millrace = await opened()
    const topic = await millrace.topic('growing', { value: string(), partitions: 1 })
    const consumer = millrace.consumer({ groupId: 'growing' })
    const records = consumer.records(topic)
    const next = records.next()
    await millrace.admin.createPartitions('growing', 2)
    await millrace.producer().send(topic, { value: 'new', partition: 1 })
    expect((await next).value!.partition).toBe(1)
    await consumer.close()
  })

  test('static members are opened again one after the other, and nothing moves', async () => {
    const millrace = await opened()
    const work = new Work(millrace)
    const ledger = new Ledger()
    const names = ['a', 'b', 'c']
    const members = names.map((groupInstanceId) => new LocalMember(millrace, ledger, { groupInstanceId }))
    await ledger.until(() => isShared(members, [2, 2, 2]))
    const before = members.map(({ partitions }) => partitions.sort())
    for (const [i, groupInstanceId] of names.entries()) {
      await members[i]!.consumer.close()
      await work.send(10)
      const member = new LocalMember(millrace, ledger, { groupInstanceId })
      members[i] = member
      await ledger.until(() => member.events.length > 0)
      expect(member.partitions.sort()).toEqual(before[i])
    }
    await ledger.all(work)
    // Each was told of its own, once, and of nothing else.
    expect(members.map((member) => member.events.length)).toEqual([1, 1, 1])
    for (const member of members) await member.consumer.close()
    for (const values of ledger.values) expect(values).toEqual(inOrder(30))
  })
})

describe('members on threads of their own', () => {
  test('share partitions; one that is terminated gives what it had to the others, which miss nothing', async () => {
    const millrace = await opened({ brokers: 2 })
    const work = new Work(millrace)
    const ledger = new Ledger()
    await work.send(20)
    const members = [0, 1, 2].map(() => new ThreadMember(millrace, ledger))
    await ledger.until(() => isShared(members, [2, 2, 2]))
    await work.send(20)
    await ledger.all(work)
    const [dead, ...living] = members as [ThreadMember, ...ThreadMember[]]
    const sending = work.send(20)
    const from = performance.now()
    await dead.worker.terminate()
    dead.partitions.clear()
    await ledger.until(() => isShared(living, [3, 3]))
    const tookMs = performance.now() - from
    await sending
    await work.send(20)
    await ledger.all(work)
    console.log(`a member's death to its partitions' assignment to others: ${tookMs.toFixed(1)} ms`)
    expect(tookMs).toBeLessThan(5_000)
    for (const member of living) await member.close()
    for (const [partition, values] of ledger.values.entries()) {
      // Only what the dead one had read and not committed comes again, in order.
      expect([...new Set(values)]).toEqual(inOrder(work.sent[partition]!))
    }
  })
})

test('after a restart with a data directory, a group goes on where it was', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'groups-'))
  try {
    for (let life = 1; life <= 3; life++) {
      const millrace = await opened({ dataDir })
      const ledger = new Ledger()
      const work = new Work(millrace)
      for (const partition of work.sent.keys()) work.sent[partition] = (life - 1) * 10
      await work.send(10)
      const member = new LocalMember(millrace, ledger)
      await ledger.until(() => ledger.values.every((values) => values.length >= 10))
      await member.consumer.close()
      for (const values of ledger.values) expect(values).toEqual(inOrder(10).map((at) => (life - 1) * 10 + at))
      await millrace.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
