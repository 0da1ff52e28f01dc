import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { connectControl } from '../../src/actor/control-channel.ts'
import { entryBeside, workerThreadSpawner } from '../../src/actor/worker-thread.ts'
import type { SpawnedThread } from '../../src/actor/worker-thread.ts'
import type { Mortal } from './mortal-worker.ts'

const entry = entryBeside('./mortal-worker', import.meta.url)

function spawnMortal(): { thread: SpawnedThread; ready: () => Promise<unknown>; exit: () => void } {
  const { port1, port2 } = new MessageChannel()
  const thread = workerThreadSpawner.spawn({ name: 'mortal', entry, workerData: { port: port2 }, transfer: [port2] })
  const client = connectControl<Mortal>(port1, { name: 'mortal' })
  return { thread, ready: () => client.calls.echo('ready'), exit: () => void client.calls.exit().catch(() => {}) }
}

describe('entryBeside', () => {
  it('finds the source beside a source, and the built file beside a built one', () => {
    expect(entryBeside('./worker-main', 'file:///a/src/broker/broker.ts').href).toBe('file:///a/src/broker/worker-main.ts')
    expect(entryBeside('./worker-main', 'file:///a/dist/broker/broker.js').href).toBe('file:///a/dist/broker/worker-main.js')
    expect(entryBeside('../broker/worker-main', 'file:///a/dist/client/x.js?v=1').href).toBe('file:///a/dist/broker/worker-main.js')
  })
})

describe('a spawned thread', () => {
  it('has the id that Node.js gave it, and tells its end once to all who ask', async () => {
    const { thread, ready } = spawnMortal()
    expect(thread.threadId).toBeGreaterThan(0)
    await ready()
    let told = 0
    thread.onExit(() => told++)
    const off = thread.onExit(() => {
      told += 100
    })
    off()
    const exits = await Promise.all([thread.terminate(), thread.terminate(), thread.exited])
    expect(new Set(exits).size).toBe(1)
    expect(exits[0]).toEqual({ exitCode: 1, error: undefined, terminated: true })
    expect(told).toBe(1)
    expect(await new Promise((resolve) => thread.onExit(resolve))).toBe(exits[0])
    await thread[Symbol.asyncDispose]()
    thread.ref()
    thread.unref()
  })

  it('that ends by itself can be joined, before and after', async () => {
    const { thread, exit: kill } = spawnMortal()
    kill()
    const exit = await thread.join()
    expect(exit).toEqual({ exitCode: 3, error: undefined, terminated: false })
    expect(await thread.join()).toBe(exit)
    expect(await thread.terminate()).toBe(exit)
  })

  it('whose module is missing ends with that error', async () => {
    const thread = workerThreadSpawner.spawn({
      name: 'lost',
      entry: entryBeside('./no-such-worker', import.meta.url),
      workerData: undefined,
    })
    const exit = await thread.exited
    expect(exit).toMatchObject({ exitCode: 1, terminated: false })
    expect(exit.error?.message).toContain('no-such-worker')
  })

  it('whose module throws a MillraceError keeps class and code', async () => {
    const thread = workerThreadSpawner.spawn({
      name: 'sad',
      entry: entryBeside('./throwing-worker', import.meta.url),
      workerData: undefined,
    })
    expect(await thread.exited).toMatchObject({
      exitCode: 1,
      error: { name: 'MillraceError', code: 'KAFKA_STORAGE_ERROR', retriable: true, message: 'no room' },
    })
  })

  it('is refused at once when its data cannot be cloned', () => {
    expect(() => workerThreadSpawner.spawn({ name: 'never', entry, workerData: () => {} })).toThrow(/could not be cloned/)
  })
})
