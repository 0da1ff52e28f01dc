// The api that control channel tests call: on this thread, and on a worker's.

import type { MessagePort } from 'node:worker_threads'
import { MillraceError } from '../../src/errors.ts'
import { transferred } from '../../src/actor/control-channel.ts'
import type { Transferred } from '../../src/actor/control-channel.ts'

export class Calculator {
  /** How often each method was called. */
  readonly calls: string[] = []
  #memory = 0

  add(a: number, b: number): number {
    this.calls.push('add')
    return a + b
  }

  /** Uses `this`, and answers later. */
  async remember(value: number): Promise<number> {
    this.calls.push('remember')
    await Promise.resolve()
    const before = this.#memory
    this.#memory = value
    return before
  }

  never(): Promise<void> {
    this.calls.push('never')
    return new Promise(() => {})
  }

  refuse(): void {
    throw new MillraceError('NOT_LEADER_OR_FOLLOWER', 'ask broker 2', { cause: new RangeError('epoch 7') })
  }

  refuseForGood(): void {
    throw new MillraceError('THREAD_DIED', 'and stays dead', { retriable: false })
  }

  async fail(): Promise<void> {
    throw Object.assign(new TypeError('no such thing'), { code: 'ENOTHING' })
  }

  throwText(): Promise<void> {
    return Promise.reject('just text')
  }

  giveFunction(): unknown {
    return () => {}
  }

  /** Adds one to a shared counter, and says so on the port it was given. */
  signal(counter: Int32Array, port: MessagePort): void {
    Atomics.add(counter, 0, 1)
    port.postMessage('signalled')
    port.close()
  }

  openLine(): Transferred<{ line: MessagePort }> {
    const { port1, port2 } = new MessageChannel()
    port1.postMessage('hello')
    return transferred({ line: port2 as unknown as MessagePort }, [port2 as unknown as MessagePort])
  }

  readonly notAMethod = 5
}
