import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MessageChannel, postMessageToThread, threadId } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { ATTACH_TIMEOUT_MS, listenForAttach, openAttachPort } from '../../src/actor/attach-port.ts'
import { connectControl, exposeControl } from '../../src/actor/control-channel.ts'
import type { ControlClient } from '../../src/actor/control-channel.ts'
import { entryBeside, workerThreadSpawner } from '../../src/actor/worker-thread.ts'
import { VirtualClock } from '../../src/clock.ts'
import { MillraceError } from '../../src/errors.ts'
import type { AttachThread, Greeter } from './attach-worker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

class LocalGreeter {
  greet(name: string): string {
    return `hello ${name}, this is the main thread`
  }
}

async function attachThread(): Promise<{ client: ControlClient<AttachThread>; threadId: number; terminate: () => Promise<unknown> }> {
  const { port1, port2 } = new MessageChannel()
  const thread = workerThreadSpawner.spawn({
    name: 'attacher',
    entry: entryBeside('./attach-worker', import.meta.url),
    workerData: { port: port2 },
    transfer: [port2],
  })
  cleanups.push(() => thread.terminate())
  const client = connectControl<AttachThread>(port1, { name: 'attacher' })
  await client.calls.ports()
  return { client, threadId: thread.threadId, terminate: () => thread.terminate() }
}

function listenHere(token: string): { open: number; from: number[] } {
  const seen = { open: 0, from: [] as number[] }
  const stop = listenForAttach(token, (port, fromThreadId) => {
    const server = exposeControl(port, new LocalGreeter())
    seen.open++
    seen.from.push(fromThreadId)
    server.onClose(() => seen.open--)
  })
  cleanups.push(stop)
  return seen
}

async function greet(port: Parameters<typeof connectControl>[0], name: string): Promise<string> {
  const client = connectControl<Greeter>(port, { name: 'the opener' })
  const greeting = await client.calls.greet(name)
  client.close()
  return greeting
}

describe('attaching', () => {
  it('from a worker to the main thread, any number of times', async () => {
    const seen = listenHere('main')
    const one = await attachThread()
    const two = await attachThread()
    const address = { token: 'main', threadId }
    const names = ['a', 'b', 'c', 'd']
    const greetings = await Promise.all(names.map((name, i) => (i % 2 === 0 ? one : two).client.calls.attachAndGreet(address, name)))
    expect(greetings).toEqual(names.map((name) => `hello ${name}, this is the main thread`))
    expect([...new Set(seen.from)].sort()).toEqual([one.threadId, two.threadId].sort())
    while (seen.open > 0) await nextTurn()
  })

  it('from the main thread to a worker, and from worker to worker', async () => {
    const opener = await attachThread()
    const openerId = await opener.client.calls.listen('worker')
    expect(openerId).toBe(opener.threadId)
    const address = { token: 'worker', threadId: openerId }
    expect(await greet(await openAttachPort(address), 'main')).toBe(`hello main, this is thread ${openerId}`)
    const other = await attachThread()
    expect(await other.client.calls.attachAndGreet(address, 'other')).toBe(`hello other, this is thread ${openerId}`)
  })

  it('within the thread that opened, on the main thread and on a worker', async () => {
    const seen = listenHere('same')
    expect(await greet(await openAttachPort({ token: 'same', threadId }), 'me')).toBe('hello me, this is the main thread')
    expect(seen.from).toEqual([threadId])
    const opener = await attachThread()
    const openerId = await opener.client.calls.listen('same worker')
    const greeting = await opener.client.calls.attachAndGreet({ token: 'same worker', threadId: openerId }, 'me')
    expect(greeting).toBe(`hello me, this is thread ${openerId}`)
  })

  it('loses nothing that the opener says first', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('talker')
    cleanups.push(listenForAttach('eager', (port) => port.postMessage('first words')))
    const port = await openAttachPort({ token: 'eager', threadId })
    for (let i = 0; i < 10; i++) await nextTurn()
    expect((await once(port, 'message'))[0]).toBe('first words')
    port.close()
  })

  it('keeps two tokens of one thread apart, and refuses a third listener of the same', async () => {
    const first = listenHere('first')
    const second = listenHere('second')
    expect(() => listenForAttach('first', () => {})).toThrow(expect.objectContaining({ code: 'DUPLICATE_RESOURCE' }))
    const one = await attachThread()
    await one.client.calls.attachAndGreet({ token: 'second', threadId }, 'x')
    expect([first.from.length, second.from.length]).toEqual([0, 1])
  })

  it('leaves no listener on the process behind', () => {
    const before = process.listenerCount('workerMessage')
    const stop = listenForAttach('brief', () => {})
    expect(process.listenerCount('workerMessage')).toBe(before + 1)
    stop()
    stop()
    expect(process.listenerCount('workerMessage')).toBe(before)
  })
})

describe('attaching fails', () => {
  it('when the opener has ended', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('gone')
    await opener.terminate()
    const address = { token: 'gone', threadId: opener.threadId }
    const expected = { code: 'THREAD_DIED', retriable: false, message: expect.stringContaining(`thread ${opener.threadId}`) }
    await expect(openAttachPort(address)).rejects.toMatchObject(expected)
    const other = await attachThread()
    await expect(other.client.calls.attachAndGreet(address, 'x')).rejects.toMatchObject(expected)
  })

  it('when the opener has closed: alone in its thread, or beside another', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('closed')
    await opener.client.calls.close()
    await expect(openAttachPort({ token: 'closed', threadId: opener.threadId })).rejects.toMatchObject({
      code: 'THREAD_DIED',
      retriable: false,
    })
    await opener.client.calls.listen('another')
    await expect(openAttachPort({ token: 'closed', threadId: opener.threadId })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(openAttachPort({ token: 'closed', threadId })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('with what the listener throws', async () => {
    const refuse = (): void => {
      throw new MillraceError('POLICY_VIOLATION', 'enough threads')
    }
    cleanups.push(listenForAttach('strict', refuse))
    await expect(openAttachPort({ token: 'strict', threadId })).rejects.toMatchObject({ code: 'POLICY_VIOLATION' })
    const other = await attachThread()
    await expect(other.client.calls.attachAndGreet({ token: 'strict', threadId }, 'x')).rejects.toMatchObject({
      name: 'MillraceError',
      code: 'POLICY_VIOLATION',
      message: 'enough threads',
    })
  })

  it('after its timeout when the opener is blocked; the opener then gets a closed port', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('blocked')
    const word = new Int32Array(new SharedArrayBuffer(8))
    const blocked = opener.client.calls.block(word)
    while (Atomics.load(word, 1) === 0) await nextTurn()
    const clock = new VirtualClock()
    const attached = openAttachPort({ token: 'blocked', threadId: opener.threadId }, { clock })
    const settled = expect(attached).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      retriable: true,
      message: expect.stringContaining('blocked'),
    })
    clock.advance(ATTACH_TIMEOUT_MS - 1)
    expect(clock.pending).toBe(1)
    clock.advance(1)
    await settled
    // The fault must have bitten: the thread was blocked all the time.
    Atomics.store(word, 0, 1)
    Atomics.notify(word, 0)
    await blocked
    for (;;) {
      const { open, closed } = await opener.client.calls.ports()
      if (open === 1 && closed === 1) break
    }
  })

  it('when the opener dies before it answers', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('dying')
    const word = new Int32Array(new SharedArrayBuffer(8))
    const blocked = opener.client.calls.block(word).catch((error: { code: string }) => error.code)
    while (Atomics.load(word, 1) === 0) await nextTurn()
    const attached = openAttachPort({ token: 'dying', threadId: opener.threadId })
    const settled = expect(attached).rejects.toMatchObject({ code: 'THREAD_DIED', retriable: false })
    await opener.terminate()
    await settled
    expect(await blocked).toBe('THREAD_DIED')
  })

  it('when it is aborted, before and during', async () => {
    const opener = await attachThread()
    await opener.client.calls.listen('slow')
    const word = new Int32Array(new SharedArrayBuffer(8))
    const blocked = opener.client.calls.block(word)
    while (Atomics.load(word, 1) === 0) await nextTurn()
    const controller = new AbortController()
    const clock = new VirtualClock()
    const address = { token: 'slow', threadId: opener.threadId }
    const attached = openAttachPort(address, { signal: controller.signal, clock })
    controller.abort(new Error('enough'))
    await expect(attached).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    await expect(openAttachPort(address, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(clock.pending).toBe(0)
    Atomics.store(word, 0, 1)
    Atomics.notify(word, 0)
    await blocked
  })
})

describe('beside messages of the program itself', () => {
  it('strange messages are left alone, and listeners that throw do no harm', async () => {
    listenHere('beside')
    const strange: unknown[] = []
    const listener = (message: unknown): void => {
      strange.push(message)
      throw new Error('not for me')
    }
    process.on('workerMessage', listener)
    cleanups.push(() => process.off('workerMessage', listener))
    const other = await attachThread()
    await other.client.calls.listen('there')
    for (const message of [null, 5, { millrace: 'other' }]) await postMessageToThread(other.threadId, message)
    expect(await other.client.calls.ports()).toEqual({ open: 0, closed: 0 })
    expect(await other.client.calls.attachAndGreet({ token: 'beside', threadId }, 'x')).toContain('hello x')
    expect(strange).toHaveLength(1)
  })
})

describe('attaching and the life of a process', () => {
  const script = fileURLToPath(new URL('./attach-process.ts', import.meta.url))

  it.each([
    ['listening', 'exit 0'],
    ['attaching', 'attached, exit 0'],
  ])('%s', async (mode, expected) => {
    const child = spawn(process.execPath, [script, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const [exitCode] = (await once(child, 'close')) as [number]
    expect(`${output}exit ${exitCode}`).toBe(expected)
  })
})
