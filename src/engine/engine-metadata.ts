// The image of one attached thread: it follows the metadata log when it is asked for the
// cluster of this moment, and at each commit while somebody listens.
// Runs on the attached thread.
// Holds: without a listener nothing is read, nothing waits and nobody wakes this thread;
// listeners hear of every change, in order, whoever made the image go on.

import type { ThreadId } from '../ids.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import type { MetadataImage } from '../metadata/metadata-image.ts'
import { MetadataLoader } from '../metadata/metadata-loader.ts'
import type { WakeLoop, Waiter } from './wake-loop.ts'

export class EngineMetadata implements Waiter {
  readonly keepsAlive = false
  readonly #loader: MetadataLoader
  readonly #thread: ThreadId
  readonly #wakeLoop: WakeLoop
  readonly #listeners = new Set<(delta: MetadataDelta) => void>()
  readonly #untold: MetadataDelta[] = []
  #telling = false

  constructor(memory: LogMemory, thread: ThreadId, wakeLoop: WakeLoop) {
    this.#loader = new MetadataLoader(memory)
    this.#thread = thread
    this.#wakeLoop = wakeLoop
  }

  /** With everything that is committed now. */
  current(): MetadataImage {
    const delta = this.#loader.load()
    if (delta !== undefined && this.#listeners.size > 0) this.#tell(delta)
    return this.#loader.image
  }

  listen(listener: (delta: MetadataDelta) => void): () => void {
    // What was committed before is nothing new.
    this.current()
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#wakeLoop.wait(this)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#wakeLoop.cancel(this)
    }
  }

  prepareWait(): void {
    this.#loader.prepareWait(this.#thread)
  }

  /** It waits as long as there are listeners. */
  poll(): boolean {
    this.current()
    return false
  }

  /** A listener may ask for the image itself: what that brings is told when all have heard of this. */
  #tell(delta: MetadataDelta): void {
    this.#untold.push(delta)
    if (this.#telling) return
    this.#telling = true
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const listener of [...this.#listeners]) listener(next)
      }
    } finally {
      this.#telling = false
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#wakeLoop.cancel(this)
  }
}
