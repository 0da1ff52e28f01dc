// Producers, consumers and subscriptions that a test has made, and where: what it has left open is named by that.

import { Producer } from '../client/producer/producer.ts'
import type { MadeClient } from '../client/millrace.ts'

interface KnownClient extends MadeClient {
  /** Frames of the way to where it was made, the innermost first. */
  readonly frames: readonly string[]
  /** Only a subscription makes clients while RxJS subscribes. */
  readonly isSubscription: boolean
}

/** Frames that are kept of the way to where a client was made. */
const FRAMES = 60
/** Where millrace's own code lies: the sources, or what the package has built of them. */
const OWN_CODE = new URL(import.meta.url.endsWith('.ts') ? '..' : '.', import.meta.url).href

export class OpenClients {
  readonly #known = new Set<KnownClient>()
  #isOwn = false

  readonly onMade = (made: MadeClient): void => {
    for (const known of this.#known) if (!known.isOpen()) this.#known.delete(known)
    if (this.#isOwn) return
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = FRAMES
    const frames = (new Error('made here').stack ?? '').split('\n').slice(1)
    Error.stackTraceLimit = stackTraceLimit
    const isSubscription = frames.some((frame) => /[\\/]node_modules[\\/]rxjs[\\/]/.test(frame))
    // One that a sink has made is shared by all sinks of its millrace, and closed with it.
    if (isSubscription && made.client instanceof Producer) return
    this.#known.add({ ...made, frames, isSubscription })
  }

  /** For clients of the kit itself, which closes them. */
  own<Client>(make: () => Client): Client {
    this.#isOwn = true
    try {
      return make()
    } finally {
      this.#isOwn = false
    }
  }

  /** Those that are open now, in the order in which they were made. */
  describe(): string[] {
    return [...this.#known].filter((known) => known.isOpen()).map(describeClient)
  }
}

function describeClient({ client, groupId, frames, isSubscription }: KnownClient): string {
  const kind = client instanceof Producer ? 'producer' : 'consumer'
  const what = isSubscription ? `subscription (its ${kind})` : kind
  const of = groupId === undefined ? '' : ` of group "${groupId}"`
  const place = frames.find(isUserFrame)
  return `${what}${of}${place === undefined ? '' : `, made ${place.trim()}`}`
}

function isUserFrame(frame: string): boolean {
  const isOwn = frame.includes(OWN_CODE) || frame.includes(OWN_CODE.replace('file://', ''))
  return !isOwn && !/[\\/]node_modules[\\/]|node:internal/.test(frame)
}
