// A millrace with topics of numbers, and groups whose commits a test looks at.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { json, openMillrace } from '../../../src/index.ts'
import type { EmbeddedMillrace, Topic } from '../../../src/index.ts'

export type Numbers = Topic<string | null, number>

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

export class ContractWorld {
  readonly millrace: EmbeddedMillrace
  #names = 0

  static async open(): Promise<ContractWorld> {
    return new ContractWorld(await openMillrace({ brokers: 2, logMemoryBytes: 64 * 1024 * 1024 }))
  }

  private constructor(millrace: EmbeddedMillrace) {
    this.millrace = millrace
  }

  /** One that nobody has used: for a topic, or a group. */
  name(of = 'some'): string {
    return `${of}-${this.#names++}`
  }

  async topic(partitions = 1): Promise<Numbers> {
    return this.millrace.topic(this.name('topic'), { partitions, value: json<number>() })
  }

  /** The numbers below `records`, in each partition. */
  async filled(records: number, partitions = 1): Promise<Numbers> {
    const topic = await this.topic(partitions)
    const producer = this.millrace.producer()
    for (let n = 0; n < records; n++)
      for (let partition = 0; partition < partitions; partition++)
        while (!producer.offer(topic, `k${n}`, n, { partition })) await producer.drained()
    await producer.close()
    return topic
  }

  /** What the group has committed of the first partition; undefined: nothing. */
  async committed(groupId: string): Promise<number | undefined> {
    const offsets = await this.millrace.admin.listGroupOffsets(groupId)
    return offsets.find(({ partition }) => partition === 0)?.offset
  }

  /** What the group has committed when all its members have left. */
  async committedAtLast(groupId: string): Promise<number | undefined> {
    for (;;) {
      const { members } = await this.millrace.admin.describeGroup(groupId)
      if (members.length === 0) return this.committed(groupId)
      await nextTurn()
    }
  }

  /** All values of the first partition. */
  async valuesOf(topic: Numbers): Promise<number[]> {
    const consumer = this.millrace.consumer()
    const values: number[] = []
    for await (const { value } of consumer.records(topic, { until: 'end' })) values.push(value)
    await consumer.close()
    return values
  }

  close(): Promise<void> {
    return this.millrace.close()
  }
}

/** The event loop goes round so many times. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn()
}

/** Looks again and again, until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await nextTurn()
}
