import { MessageChannel } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { connectControl } from '../../src/actor/control-channel.ts'
import type { ControlClient } from '../../src/actor/control-channel.ts'
import { entryBeside, workerThreadSpawner } from '../../src/actor/worker-thread.ts'
import type { SpawnedThread } from '../../src/actor/worker-thread.ts'
import type { Mortal, MortalStart } from './mortal-worker.ts'

const entry = entryBeside('./mortal-worker', import.meta.url)
const threads: SpawnedThread[] = []
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()))
})

async function mortal(
  name: string,
  resourceLimits: ResourceLimits = {},
): Promise<{ thread: SpawnedThread; client: ControlClient<Mortal> }> {
  const { port1, port2 } = new MessageChannel()
  const workerData: MortalStart = { port: port2 }
  const thread = workerThreadSpawner.spawn({ name, entry, workerData, transfer: [port2], resourceLimits })
  threads.push(thread)
  const client = connectControl<Mortal>(port1, { name })
  expect(await client.calls.echo('ready')).toBe('ready')
  return { thread, client }
}

/** A call is in flight while the thread dies by `kill`: all that must follow, whatever killed it. */
async function dies(
  name: string,
  kill: (client: ControlClient<Mortal>, thread: SpawnedThread) => unknown,
  limits?: ResourceLimits,
): Promise<SpawnedThread> {
  const { thread, client } = await mortal(name, limits)
  const closed = new Promise((resolve) => client.onClose(resolve))
  const before = client.calls.never()
  const killing = Promise.allSettled([before, kill(client, thread)])
  const [inFlight, call] = await killing
  expect(inFlight).toMatchObject({ status: 'rejected', reason: { name: 'MillraceError', code: 'THREAD_DIED', retriable: true } })
  expect((inFlight as PromiseRejectedResult).reason.message).toContain(name)
  if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: 'THREAD_DIED' })
  await expect(client.calls.echo('late')).rejects.toMatchObject({ code: 'THREAD_DIED' })
  expect(client.pending).toBe(0)
  expect(await closed).toBe('peer-gone')
  return thread
}

describe('a call whose thread dies rejects', () => {
  it('by terminate()', async () => {
    const thread = await dies('broker 1', (_client, dying) => dying.terminate())
    expect(await thread.exited).toMatchObject({ exitCode: 1, terminated: true, error: undefined })
  })

  it('by terminate() in an endless loop', async () => {
    const started = new Int32Array(new SharedArrayBuffer(4))
    await dies('broker 2', async (client, dying) => {
      const spinning = client.calls.spin(started)
      while (Atomics.load(started, 0) === 0) await nextTurn()
      void dying.terminate()
      await spinning
    })
    expect(Atomics.load(started, 0)).toBe(1)
  })

  it('by process.exit()', async () => {
    const thread = await dies('broker 3', (client) => client.calls.exit())
    expect(await thread.exited).toMatchObject({ exitCode: 3, terminated: false, error: undefined })
  })

  it('by an uncaught throw', async () => {
    const thread = await dies('broker 4', (client) => client.calls.throwUncaught())
    expect(await thread.exited).toMatchObject({ exitCode: 1, error: { name: 'RangeError', code: 'EBAD', message: 'nobody catches this' } })
  })

  it('by an unhandled rejection', async () => {
    const thread = await dies('broker 5', (client) => client.calls.rejectUnhandled())
    expect(await thread.exited).toMatchObject({ exitCode: 1, error: { message: 'nobody handles this' } })
  })

  it('by a full heap', async () => {
    const thread = await dies('broker 6', (client) => client.calls.fillHeap(), { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 })
    expect(await thread.exited).toMatchObject({ exitCode: 1, error: { code: 'ERR_WORKER_OUT_OF_MEMORY' } })
  })
})

describe('the last words of a thread', () => {
  it('arrive when it answered before it ended', async () => {
    const { client } = await mortal('broker 7')
    const never = client.calls.never().catch((error: { code: string }) => error.code)
    expect(await client.calls.lastWords()).toBe('goodbye')
    expect(await never).toBe('THREAD_DIED')
  })
})

describe('a neighbour', () => {
  it('notices a death while the main thread is blocked', async () => {
    const between = new MessageChannel()
    const noticed = new Int32Array(new SharedArrayBuffer(4))
    const dieAt = new Int32Array(new SharedArrayBuffer(4))
    const start = async (name: string, more: Partial<MortalStart>): Promise<void> => {
      const { port1, port2 } = new MessageChannel()
      const thread = workerThreadSpawner.spawn({
        name,
        entry,
        workerData: { port: port2, ...more },
        transfer: [port2, more.neighbour!],
      })
      threads.push(thread)
      const client = connectControl<Mortal>(port1, { name })
      await client.calls.echo('ready')
    }
    await start('mourner', { neighbour: between.port1, noticed })
    await start('mortal', { neighbour: between.port2, dieAt })
    // From here the main thread is blocked until the neighbour has written it down.
    Atomics.store(dieAt, 0, 1)
    expect(Atomics.wait(noticed, 0, 0, 10_000)).toBe('ok')
    expect(Atomics.load(noticed, 0)).toBe(1)
  })
})
