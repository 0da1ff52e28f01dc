// Feeds the inputs, as often as asked, to the producer threads.
//
// The second time and later, the timestamps of all lines move on by the input's
// span, so a repeated log looks like a longer one. The span is known when the first
// time has been parsed to its end, and so the producers are waited for there.

import type { Input } from './input.ts'
import type { LineChunk } from './line-router.ts'
import { LineRouter } from './line-router.ts'

export interface LineSink {
  /** Resolves when this producer may be sent more. */
  send(producer: number, input: string, shiftMs: number, chunk: LineChunk): Promise<void>
  /** Resolves when all that was sent has been parsed, with the first and the last time in it. */
  parsed(): Promise<{ readonly firstMs: number; readonly lastMs: number }>
}

export interface FeedResult {
  readonly lines: number
  /** Bytes of input, unpacked. */
  readonly bytes: number
  /** It ended before all of it was read, as often as asked. */
  readonly endedEarly: boolean
  /** What went wrong, if that is why it ended early. */
  readonly failure: string | undefined
}

export interface FeedOptions {
  readonly inputs: readonly Input[]
  readonly repeat: number
  readonly producers: number
  /** Aborted: the input ends here. */
  readonly signal: AbortSignal
}

export async function feedLines({ inputs, repeat, producers, signal }: FeedOptions, sink: LineSink): Promise<FeedResult> {
  let lines = 0
  let bytes = 0
  let spanMs = 0
  for (let pass = 0; pass < repeat; pass++) {
    for (const input of inputs) {
      const router = new LineRouter(producers)
      const send = async (chunks: readonly (LineChunk | undefined)[]): Promise<void> => {
        for (const [producer, chunk] of chunks.entries())
          if (chunk !== undefined) await sink.send(producer, input.name, pass * spanMs, chunk)
      }
      const failure = await readAll(input, signal, async (piece) => {
        bytes += piece.length
        await send(router.route(piece))
      })
      // Where the input was told to end, a line may be half read: that is not the input's last line.
      if (!signal.aborted) await send(router.end())
      lines += router.lines
      if (failure !== undefined) return { lines, bytes, endedEarly: true, failure: `${input.name}: after line ${router.lines}: ${failure}` }
      if (signal.aborted) return { lines, bytes, endedEarly: true, failure: undefined }
    }
    if (pass === 0 && repeat > 1) {
      const { firstMs, lastMs } = await sink.parsed()
      spanMs = Math.max(0, lastMs - firstMs)
    }
  }
  return { lines, bytes, endedEarly: false, failure: undefined }
}

/** A reader's failure comes back as its message; one of `take` is thrown on. */
async function readAll(input: Input, signal: AbortSignal, take: (piece: Uint8Array) => Promise<void>): Promise<string | undefined> {
  const pieces = input.read(signal)[Symbol.asyncIterator]()
  for (;;) {
    let next: IteratorResult<Uint8Array>
    try {
      next = await pieces.next()
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    if (next.done === true) return undefined
    await take(next.value)
    if (signal.aborted) {
      await pieces.return?.()
      return undefined
    }
  }
}
