// Control calls between threads: typed requests and answers over a message port.
// comlink carries them; it is wrapped here, once, because bare comlink never settles a
// call whose thread dies, drops the class and code of errors, keeps ports and processes
// alive, and hands out objects that `await` takes for promises.
//
//   caller                                              callee
//   connectControl ─ wrap ─ client tap ══ port ══ server tap ─ expose ─ exposeControl
//                             │ knows the calls in flight        │ turns an answer that cannot be
//                             │ and answers for the dead         │ cloned into an error
//
// comlink exposes one function, (method, arguments) → answer; so it makes no proxy a
// call and releases none behind our back. An answer is plain data: { value } or
// { error }. Runs on both threads. Holds: every call settles: with its answer, or with
// THREAD_DIED (retriable) when the port ends first, CLOSED when this side closed it,
// ABORTED; calls after the end reject at once; a call in flight keeps the caller's
// process alive, an idle channel keeps nothing alive. Arguments and answers are
// structured-cloneable data and transferables, never functions.

// What 'comlink' names is a CommonJS file for Node.js, which takes a thread three times as long to load.
import { expose, transfer, wrap } from 'comlink/dist/esm/comlink.mjs'
import type { Endpoint } from 'comlink/dist/esm/comlink.mjs'
import type { MessagePort, Transferable } from 'node:worker_threads'
import { errorFromData, errorToData, MillraceError } from '../errors.ts'
import type { ErrorData } from '../errors.ts'
import { ControlPort } from './control-port.ts'
import type { ControlCloseReason } from './control-port.ts'

export type { ControlCloseReason } from './control-port.ts'

/** A value on its way to another thread, with what moves there instead of being copied. */
export class Transferred<Value> {
  readonly value: Value
  readonly transfer: readonly Transferable[]

  constructor(value: Value, transferables: readonly Transferable[]) {
    this.value = value
    this.transfer = transferables
  }
}

/** For answers: `return transferred({ port }, [port])`. Arguments name theirs in the options of the call. */
export function transferred<Value>(value: Value, transferables: readonly Transferable[]): Transferred<Value> {
  return new Transferred(value, transferables)
}

/** The methods of `Api` as a caller on another thread sees them: each gives a promise. */
export type ControlCalls<Api> = {
  readonly [Method in keyof Api as Api[Method] extends (...args: never[]) => unknown ? Method : never]: Api[Method] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result> extends Transferred<infer Value> ? Value : Awaited<Result>>
    : never
}

export interface ControlCallOptions {
  /** Rejects the call with ABORTED. What the other side has begun goes on. */
  readonly signal?: AbortSignal | undefined
  /** What moves to the other thread with the arguments: ports and ArrayBuffers. SharedArrayBuffers need not be named. */
  readonly transfer?: readonly Transferable[]
  /** False: waiting for this answer does not keep the process alive. */
  readonly hold?: boolean
}

export interface ControlClient<Api> {
  /** Who is called, as errors name it. */
  readonly name: string
  /** The calls, with no options. */
  readonly calls: ControlCalls<Api>
  /** The calls, with options for each made through what this gives. */
  with(options: ControlCallOptions): ControlCalls<Api>
  /** Calls in flight. */
  readonly pending: number
  /** Why the channel ended; undefined while it is open. */
  readonly endedBy: ControlCloseReason | undefined
  /** Calls back once when the channel ends, in a microtask if it has. Gives the way to take it back. */
  onClose(listener: (reason: ControlCloseReason) => void): () => void
  /** Ends the channel in both directions. Calls in flight reject with CLOSED. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface ControlServer {
  readonly endedBy: ControlCloseReason | undefined
  onClose(listener: (reason: ControlCloseReason) => void): () => void
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** What crosses the port; `raised` never does: the client tap answers with it for a thread that cannot. */
type Answer = { readonly value: unknown } | { readonly error: ErrorData } | { readonly raised: Error }
type Invoke = (method: string, args: readonly unknown[]) => Promise<Answer>

/** A message of comlink as the taps see it. */
interface WireMessage {
  readonly id: string
}

/** Lets the other end of `port` call the methods of `api`. The port keeps nothing alive unless `ref` is set. */
export function exposeControl(port: MessagePort, api: object, options: { ref?: boolean } = {}): ControlServer {
  const controlPort = ControlPort.of(port)
  const invoke: Invoke = async (method, args) => {
    try {
      const value = await callable(api, method).apply(api, [...args])
      if (!(value instanceof Transferred)) return { value }
      return transfer({ value: value.value as unknown }, [...value.transfer])
    } catch (error) {
      return { error: errorToData(error) }
    }
  }
  if (options.ref === true) controlPort.hold()
  const post = (message: unknown, transferables: unknown[] = []): void => {
    try {
      controlPort.post(message, transferables as Transferable[])
    } catch (error) {
      const unsendable = new MillraceError('UNKNOWN_SERVER_ERROR', 'the answer cannot be passed between threads', { cause: error })
      controlPort.post(rawMessage((message as WireMessage).id, { error: errorToData(unsendable) }), [])
    }
  }
  expose(
    invoke,
    endpointOf(post, (listener) => controlPort.onMessage(listener)),
  )
  return {
    get endedBy() {
      return controlPort.endedBy
    },
    onClose: (listener) => controlPort.onClose(listener),
    close: () => controlPort.close(),
    [Symbol.asyncDispose]: async () => controlPort.close(),
  }
}

/** Makes the methods exposed at the other end of `port` callable. `name` says whose they are. */
export function connectControl<Api extends object>(port: MessagePort, options: { name: string }): ControlClient<Api> {
  return new PortControlClient<Api>(ControlPort.of(port), options.name)
}

interface CallInFlight {
  readonly method: string
  readonly hold: boolean
  readonly signal: AbortSignal | undefined
  readonly abort: () => void
}

class PortControlClient<Api extends object> implements ControlClient<Api> {
  readonly name: string
  readonly calls: ControlCalls<Api>
  readonly #port: ControlPort
  // Kept for as long as the client: comlink tells the other side to stop listening when its proxy is collected.
  readonly #remote: Invoke
  // By comlink's message id.
  readonly #inFlight = new Map<string, CallInFlight>()
  #deliver: (message: unknown) => void = () => {}
  #lastId = ''

  constructor(port: ControlPort, name: string) {
    this.name = name
    this.#port = port
    const post = (message: unknown, transferables: unknown[] = []): void =>
      this.#post(message as WireMessage, transferables as Transferable[])
    const listen = (listener: (message: unknown) => void): void => {
      this.#deliver = listener
      port.onMessage((message) => this.#receive(message))
    }
    this.#remote = wrap<Invoke>(endpointOf(post, listen)) as unknown as Invoke
    this.calls = this.with({})
    port.onClose(() => this.#failAll())
  }

  get pending(): number {
    return this.#inFlight.size
  }

  get endedBy(): ControlCloseReason | undefined {
    return this.#port.endedBy
  }

  with(options: ControlCallOptions): ControlCalls<Api> {
    const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>()
    const get = (_target: object, property: string | symbol): unknown => {
      // Without a `then`, an async function may give this object away and `await` leaves it alone.
      if (typeof property !== 'string' || property === 'then') return undefined
      let method = methods.get(property)
      if (method === undefined) {
        method = (...args) => this.#call(property, args, options)
        methods.set(property, method)
      }
      return method
    }
    return new Proxy(Object.freeze(Object.create(null) as object), { get }) as ControlCalls<Api>
  }

  onClose(listener: (reason: ControlCloseReason) => void): () => void {
    return this.#port.onClose(listener)
  }

  close(): void {
    this.#port.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #call(method: string, args: unknown[], options: ControlCallOptions): Promise<unknown> {
    const { signal } = options
    if (this.#port.endedBy !== undefined) throw this.#ended(method)
    if (signal?.aborted === true) throw abortedCall(this.name, method, signal)
    const list = options.transfer === undefined ? args : transfer(args, [...options.transfer])
    // comlink posts before this returns, so the id last seen by the tap is this call's.
    const answering = this.#remote(method, list)
    this.#track(this.#lastId, method, options)
    const answer = await answering
    if ('value' in answer) return answer.value
    throw 'raised' in answer ? answer.raised : errorFromData(answer.error)
  }

  #track(id: string, method: string, options: ControlCallOptions): void {
    const { signal } = options
    const abort = (): void => this.#answer(id, abortedCall(this.name, method, signal!))
    const hold = options.hold !== false
    this.#inFlight.set(id, { method, hold, signal, abort })
    if (hold) this.#port.hold()
    signal?.addEventListener('abort', abort)
  }

  #post(message: WireMessage, transferables: Transferable[]): void {
    // comlink gives every message of this side an id; it takes what the tap throws for the end of the call.
    this.#lastId = message.id
    try {
      this.#port.post(message, transferables)
    } catch (error) {
      const raised = new MillraceError(
        'INVALID_REQUEST',
        `an argument cannot be passed to ${this.name}: give plain data, and name ports in transfer`,
        {
          cause: error,
        },
      )
      // Later, when the call is tracked: it is answered like any other.
      queueMicrotask(() => this.#answer(message.id, raised))
    }
  }

  #receive(message: unknown): void {
    // On a port that goes both ways these are also the calls of the other side.
    const id = (message as Partial<WireMessage> | null | undefined)?.id
    if (typeof id === 'string' && this.#settle(id)) this.#deliver(message)
  }

  /** Answers a call in the place of a thread that did not. */
  #answer(id: string, raised: Error): void {
    if (this.#settle(id)) this.#deliver(rawMessage(id, { raised }))
  }

  #settle(id: string): boolean {
    const call = this.#inFlight.get(id)
    if (call === undefined) return false
    this.#inFlight.delete(id)
    call.signal?.removeEventListener('abort', call.abort)
    if (call.hold) this.#port.release()
    return true
  }

  #failAll(): void {
    for (const [id, call] of [...this.#inFlight]) this.#answer(id, this.#ended(call.method))
  }

  #ended(method: string): MillraceError {
    if (this.#port.endedBy === 'closed')
      return new MillraceError('CLOSED', `${method} of ${this.name} was not answered: this side closed the channel`)
    return new MillraceError('THREAD_DIED', `${this.name} ended before it answered ${method}: the call may be repeated once it runs again`)
  }
}

/** What comlink takes for a port. It listens once, for as long as the port is open. */
function endpointOf(
  post: (message: unknown, transferables?: unknown[]) => void,
  listen: (onMessage: (message: unknown) => void) => void,
): Endpoint {
  const addEventListener = (_type: string, listener: unknown): void => {
    const onEvent = listener as (event: { data: unknown }) => void
    listen((data) => onEvent({ data }))
  }
  return { postMessage: post, addEventListener, removeEventListener: () => {} }
}

/** comlink's message for an answer without a special form. */
function rawMessage(id: string, value: Answer): object {
  return { id, type: 'RAW', value }
}

function abortedCall(name: string, method: string, signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', `${method} of ${name} was aborted`, { cause: signal.reason })
}

function callable(api: object, method: string): (...args: readonly unknown[]) => unknown {
  const found: unknown = method in Object.prototype ? undefined : (api as Record<string, unknown>)[method]
  if (typeof found !== 'function') throw new MillraceError('INVALID_REQUEST', `there is no control call named ${method}`)
  return found as (...args: readonly unknown[]) => unknown
}
