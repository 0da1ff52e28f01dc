import { describe, expect, test } from 'vitest'
import { THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { ThreadParker } from '../../src/actor/thread-parker.ts'
import { EngineMetadata } from '../../src/engine/engine-metadata.ts'
import { WakeLoop } from '../../src/engine/wake-loop.ts'
import type { MetadataDelta } from '../../src/metadata/metadata-delta.ts'
import { MetadataLogFixture } from '../metadata/metadata-log-fixture.ts'
import { MetadataWorld, uuid } from '../metadata/metadata-world.ts'

function open(): {
  fixture: MetadataLogFixture
  world: MetadataWorld
  metadata: EngineMetadata
  parker: ThreadParker
  isParked: () => boolean
  create: (name: string) => void
} {
  const fixture = new MetadataLogFixture()
  const world = new MetadataWorld(0)
  const { id } = fixture.bells.claim(THREAD_KIND_CLIENT)
  const parker = new ThreadParker(fixture.bells, id)
  const metadata = new EngineMetadata(fixture.logs.memory, id, new WakeLoop(parker))
  let topics = 0
  const create = (name: string): void => {
    const records = world.controller.createTopic({ name, partitions: 1, config: {} }, uuid(++topics), [2])
    world.apply(records)
    fixture.commit(records)
  }
  return { fixture, world, metadata, parker, isParked: () => fixture.bells.isParked(id), create }
}

const namesIn = (deltas: readonly MetadataDelta[]): string[] =>
  deltas.flatMap((delta) => [...delta.createdTopics()].map(({ name }) => name))

describe('the metadata of an attached thread', () => {
  test('is that of this moment whenever it is asked for, and nobody wakes the thread for it', () => {
    const { metadata, create, isParked, parker } = open()
    expect([...metadata.current().topicNames]).toEqual([])
    create('a')
    expect(isParked()).toBe(false)
    expect([...metadata.current().topicNames]).toEqual(['a'])
    parker.close()
  })

  test('wakes those who listen, with what is new, until the last has left', async () => {
    const { metadata, create, isParked, parker } = open()
    create('before')
    const heard: MetadataDelta[] = []
    const leave = metadata.listen((delta) => heard.push(delta))
    const leaveToo = metadata.listen(() => undefined)
    expect(isParked()).toBe(true)
    expect(parker.held).toBe(false)
    create('a')
    expect(isParked()).toBe(false)
    while (heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
    create('b')
    while (heard.length === 1) await new Promise((resolve) => setImmediate(resolve))
    expect(namesIn(heard)).toEqual(['a', 'b'])
    leave()
    expect(isParked()).toBe(true)
    leaveToo()
    expect(isParked()).toBe(false)
    create('c')
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toHaveLength(2)
    parker.close()
  })

  test('tells in order what a listener itself makes it read', () => {
    const { metadata, create, parker } = open()
    const heard: string[] = []
    metadata.listen((delta) => {
      for (const { name } of delta.createdTopics()) {
        if (name === 'a') create('b')
        metadata.current()
        heard.push(`first ${name}`)
      }
    })
    metadata.listen((delta) => {
      for (const { name } of delta.createdTopics()) heard.push(`second ${name}`)
    })
    create('a')
    metadata.current()
    expect(heard).toEqual(['first a', 'second a', 'first b', 'second b'])
    metadata.close()
    parker.close()
  })
})
