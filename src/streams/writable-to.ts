// A Node.js stream to a topic. Runs on its user's thread.
// Holds: `finish` comes when all is acknowledged; however it ends, its producer is closed before
// `close` is emitted.

import { Writable } from 'node:stream'
import type { Topic } from '../client/topic-definition.ts'
import { MillraceError } from '../errors.ts'
import { WRITE_STREAM_CONFIG, onAbort, splitOptions } from './stream-options.ts'
import type { WriteStreamOptions } from './stream-options.ts'
import { TopicSender } from './topic-sender.ts'

type AnyTopic = Topic<unknown, unknown, never, never>

/**
 * A Node.js stream in object mode that sends records to a topic, for `pipe` and `pipeline`: takes
 * what `producer.send` takes, and records that were read, whose partition is chosen anew. It has a
 * producer of its own. While `bufferMemory` bytes are not acknowledged it takes `highWaterMark`
 * records more, and `write` gives false. `finish` comes when all is acknowledged. A record that
 * cannot be sent, or a batch that was refused, destroys it with the error; records before it may be
 * in the log, and none follows. Throws INVALID_CONFIG, INVALID_REQUEST, CLOSED; fails with ABORTED by its signal, and
 * as `producer.offer`, `drained` and `flush` do.
 */
export function writableTo<KIn, VIn>(topic: Topic<unknown, unknown, KIn, VIn>, options?: WriteStreamOptions): Writable {
  return new RecordWritable(topic as unknown as AnyTopic, options)
}

class RecordWritable extends Writable {
  readonly #sender: TopicSender
  #stopListening: () => void = () => undefined

  constructor(topic: AnyTopic, options: WriteStreamOptions | undefined) {
    const { own, client } = splitOptions(WRITE_STREAM_CONFIG, options)
    super({ objectMode: true, highWaterMark: own.highWaterMark })
    this.#sender = new TopicSender(topic, client, (error) => this.destroy(error))
    this.#stopListening = onAbort(own.signal, (error) => this.destroy(error))
  }

  override _write(record: unknown, _encoding: string, callback: (error?: Error | null) => void): void {
    let waits: Promise<void> | undefined
    try {
      waits = this.#sender.send(record)
    } catch (error) {
      callback(error as Error)
      return
    }
    if (waits === undefined) callback()
    else waits.then(() => callback(), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#sender.finish().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopListening()
    void this.#sender.close(isAbort(error)).then(() => callback(error))
  }
}

function isAbort(error: Error | null): boolean {
  return error === null || (error instanceof MillraceError && error.code === 'ABORTED')
}
