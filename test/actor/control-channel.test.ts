import { getEventListeners, once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { connectControl, exposeControl } from '../../src/actor/control-channel.ts'
import type { ControlClient, ControlServer } from '../../src/actor/control-channel.ts'
import { MillraceError } from '../../src/errors.ts'
import { Calculator } from './calculator.ts'

const opened: { close: () => void }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

interface Rig {
  readonly api: Calculator
  readonly server: ControlServer
  readonly client: ControlClient<Calculator>
  readonly here: MessagePort
  readonly there: MessagePort
}

function rig(): Rig {
  const { port1, port2 } = new MessageChannel()
  const api = new Calculator()
  const server = exposeControl(port2, api)
  const client = connectControl<Calculator>(port1, { name: 'broker 1' })
  opened.push(server, client)
  return { api, server, client, here: port1, there: port2 }
}

describe('a control call', () => {
  it('gives the answer of the method, with its `this`', async () => {
    const { client } = rig()
    expect(await client.calls.add(2, 3)).toBe(5)
    expect(await client.calls.remember(7)).toBe(0)
    expect(await client.calls.remember(8)).toBe(7)
    expect(client.pending).toBe(0)
  })

  it('answers each of many calls in flight', async () => {
    const { client } = rig()
    const sums = Array.from({ length: 200 }, (_, i) => client.calls.add(i, 1))
    expect(client.pending).toBe(200)
    expect(await Promise.all(sums)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    expect(client.pending).toBe(0)
  })

  it('keeps class, code, retriable, message and cause of an error', async () => {
    const { client } = rig()
    const error = await client.calls.refuse().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER', retriable: true, message: 'ask broker 2' })
    expect((error as MillraceError).cause).toMatchObject({ name: 'RangeError', message: 'epoch 7' })
    expect((error as MillraceError).stack).toContain('calculator.ts')
    await expect(client.calls.refuseForGood()).rejects.toMatchObject({ code: 'THREAD_DIED', retriable: false })
    await expect(client.calls.fail()).rejects.toMatchObject({ name: 'TypeError', code: 'ENOTHING', message: 'no such thing' })
    await expect(client.calls.throwText()).rejects.toThrow('just text')
  })

  it.each(['missing', 'notAMethod', 'constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    'refuses %s, which is no method',
    async (name) => {
      const { client } = rig()
      const calls = client.calls as unknown as Record<string, () => Promise<unknown>>
      await expect(calls[name]!()).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: `there is no control call named ${name}` })
    },
  )

  it('refuses an answer and an argument that cannot be cloned, and goes on', async () => {
    const { client } = rig()
    await expect(client.calls.giveFunction()).rejects.toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', cause: { name: 'DataCloneError' } })
    await expect(client.calls.add((() => 1) as unknown as number, 1)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      cause: { name: 'DataCloneError' },
    })
    expect(client.pending).toBe(0)
    expect(await client.calls.add(1, 1)).toBe(2)
  })

  it('passes shared memory as it is, and transfers ports both ways', async () => {
    const { client } = rig()
    const counter = new Int32Array(new SharedArrayBuffer(4))
    const { port1, port2 } = new MessageChannel()
    const heard = once(port1, 'message')
    await client.with({ transfer: [port2] }).signal(counter, port2)
    expect((await heard)[0]).toBe('signalled')
    expect(Atomics.load(counter, 0)).toBe(1)

    const { line } = await client.calls.openLine()
    expect((await once(line, 'message'))[0]).toBe('hello')
    line.close()
  })

  it('may be aborted, before and after it is sent; a late answer is dropped', async () => {
    const { client, api } = rig()
    const controller = new AbortController()
    const waiting = client.with({ signal: controller.signal }).never()
    const answered = client.with({ signal: controller.signal }).add(1, 2)
    expect(await answered).toBe(3)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    const late = client.with({ signal: controller.signal }).add(2, 2)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' }, message: 'never of broker 1 was aborted' })
    await expect(late).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(client.with({ signal: controller.signal }).add(3, 3)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(client.pending).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(await client.calls.add(4, 4)).toBe(8)
    expect(api.calls).toEqual(['never', 'add', 'add', 'add'])
  })

  it('goes in both directions over one port', async () => {
    const { port1, port2 } = new MessageChannel()
    const left = new Calculator()
    const right = new Calculator()
    opened.push(exposeControl(port1, left), exposeControl(port2, right))
    const toRight = connectControl<Calculator>(port1, { name: 'right' })
    const toLeft = connectControl<Calculator>(port2, { name: 'left' })
    const answers = await Promise.all([toRight.calls.add(1, 1), toLeft.calls.add(2, 2), toRight.calls.add(3, 3)])
    expect(answers).toEqual([2, 4, 6])
    expect([left.calls.length, right.calls.length]).toEqual([1, 2])
    const pending = [toRight.calls.never(), toLeft.calls.never()]
    toRight.close()
    const settled = await Promise.allSettled(pending)
    expect(settled.map((one) => (one as PromiseRejectedResult).reason.code)).toEqual(['CLOSED', 'THREAD_DIED'])
  })

  it('leaves messages of others on the port alone', async () => {
    const { client, here, there } = rig()
    for (const odd of [undefined, null, 5, 'text', {}, { id: 5 }, { id: 'x' }, { id: 'x', type: 'RAW', value: 1 }]) {
      here.postMessage(odd)
      there.postMessage(odd)
    }
    expect(await client.calls.add(1, 1)).toBe(2)
  })
})

describe('the calls object', () => {
  it('is no promise: an async function may give it away', async () => {
    const { client } = rig()
    const { calls } = client
    const give = async (): Promise<typeof calls> => calls
    expect(await give()).toBe(calls)
    expect((await Promise.resolve(client)).name).toBe('broker 1')
    expect((calls as unknown as { then: unknown }).then).toBe(undefined)
    expect(() => {
      ;(calls as { add: unknown }).add = 1
    }).toThrow(TypeError)
  })

  it('gives the same function for the same method', () => {
    const { client } = rig()
    expect(client.calls.add).toBe(client.calls.add)
  })
})

describe('the end of a channel', () => {
  it('rejects the calls in flight and all that come later, naming the thread', async () => {
    const { client, server } = rig()
    const reasons: string[] = []
    client.onClose((reason) => reasons.push(`client ${reason}`))
    server.onClose((reason) => reasons.push(`server ${reason}`))
    const waiting = client.calls.never()
    await client.calls.add(1, 1)
    server.close()
    await expect(waiting).rejects.toMatchObject({
      code: 'THREAD_DIED',
      retriable: true,
      message: expect.stringMatching(/^broker 1 .*never/),
    })
    expect(client.endedBy).toBe('peer-gone')
    expect(server.endedBy).toBe('closed')
    const started = performance.now()
    await expect(client.calls.add(1, 1)).rejects.toMatchObject({ code: 'THREAD_DIED' })
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(reasons).toEqual(['server closed', 'client peer-gone'])
    server.close()
    client.close()
    expect(reasons).toHaveLength(2)
  })

  it('closed by the caller says CLOSED, and tells the other side', async () => {
    const { client, server } = rig()
    const told = new Promise((resolve) => server.onClose(resolve))
    const waiting = client.calls.never()
    client.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED', retriable: false })
    await expect(client.calls.add(1, 1)).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await told).toBe('peer-gone')
    await client[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  it('what was answered before the close still arrives', async () => {
    const { client, server, api } = rig()
    const answered = client.calls.add(20, 22)
    while (api.calls.length === 0) await nextTurn()
    server.close()
    expect(await answered).toBe(42)
  })

  it('is found out on a port whose peer had gone before', async () => {
    const { port1, port2 } = new MessageChannel()
    port2.close()
    for (let i = 0; i < 20; i++) await nextTurn()
    const client = connectControl<Calculator>(port1, { name: 'broker 3' })
    expect(client.endedBy).toBe('peer-gone')
    await expect(client.calls.add(1, 1)).rejects.toMatchObject({ code: 'THREAD_DIED' })
    expect(await new Promise((resolve) => client.onClose(resolve))).toBe('peer-gone')
    const server = exposeControl(port1, new Calculator())
    expect(server.endedBy).toBe('peer-gone')
  })

  it('a listener that was taken back is not called', async () => {
    const { client, server } = rig()
    let called = 0
    const off = client.onClose(() => called++)
    const all = new Promise((resolve) => client.onClose(resolve))
    off()
    server.close()
    await all
    expect(called).toBe(0)
  })
})

describe('a channel and the life of its process', () => {
  it('holds the process exactly while a call that holds is in flight', async () => {
    const { client, here, there } = rig()
    expect([here.hasRef(), there.hasRef()]).toEqual([false, false])
    const controller = new AbortController()
    const waiting = client.with({ signal: controller.signal }).never()
    const other = client.calls.add(1, 1)
    expect(here.hasRef()).toBe(true)
    await other
    expect(here.hasRef()).toBe(true)
    controller.abort()
    await waiting.catch(() => {})
    expect(here.hasRef()).toBe(false)
    const unheld = client.with({ hold: false }).never()
    expect(here.hasRef()).toBe(false)
    client.close()
    await expect(unheld).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('a server holds it only when asked to', () => {
    const { port1, port2 } = new MessageChannel()
    opened.push(exposeControl(port1, new Calculator(), { ref: true }))
    expect(port1.hasRef()).toBe(true)
    expect(port2.hasRef()).toBe(false)
  })
})
