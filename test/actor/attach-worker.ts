// A thread that opens (listens for a token) and attaches (to any address), as told by
// control calls.

import { threadId, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { connectControl, exposeControl } from '../../src/actor/control-channel.ts'
import { listenForAttach, openAttachPort } from '../../src/actor/attach-port.ts'
import type { AttachAddress } from '../../src/actor/attach-port.ts'

/** What a thread that attached finds at the other end of its port. */
export class Greeter {
  greet(name: string): string {
    return `hello ${name}, this is thread ${threadId}`
  }
}

export class AttachThread {
  #stopListening: () => void = () => {}
  /** Attached ports that were alive and that were closed when they came. */
  readonly #ports = { open: 0, closed: 0 }

  listen(token: string): number {
    this.#stopListening = listenForAttach(token, (port) => {
      const server = exposeControl(port, new Greeter())
      server.onClose(() => {
        this.#ports.closed++
      })
      this.#ports.open++
    })
    return threadId
  }

  ports(): { open: number; closed: number } {
    return this.#ports
  }

  close(): void {
    this.#stopListening()
  }

  /** Attaches, makes one call, and lets go. */
  async attachAndGreet(address: AttachAddress, name: string): Promise<string> {
    const port = await openAttachPort(address)
    const client = connectControl<Greeter>(port, { name: 'the opener' })
    const greeting = await client.calls.greet(name)
    client.close()
    return greeting
  }

  /** Blocks this thread's event loop until the word is no longer 0. */
  block(word: Int32Array): void {
    Atomics.store(word, 1, 1)
    Atomics.wait(word, 0, 0)
  }
}

const { port } = workerData as { port: MessagePort }
exposeControl(port, new AttachThread(), { ref: true })
