import { describe, expect, it } from 'vitest'
import type { FeedResult } from '../../examples/user-activity/feed-lines.ts'
import { feedLines } from '../../examples/user-activity/feed-lines.ts'
import type { Input } from '../../examples/user-activity/input.ts'

interface Sent {
  readonly input: string
  readonly shiftMs: number
  readonly numbers: number[]
}

function inputOf(name: string, ...pieces: (string | Error)[]): Input {
  return {
    name,
    async *read() {
      for (const piece of pieces) {
        if (piece instanceof Error) throw piece
        yield Buffer.from(piece)
      }
    },
  }
}

async function feed(
  inputs: Input[],
  repeat: number,
  end = new AbortController(),
  endAfter = Infinity,
): Promise<{ result: FeedResult; sent: Sent[] }> {
  const sent: Sent[] = []
  const result = await feedLines(
    { inputs, repeat, producers: 1, signal: end.signal },
    {
      send: async (_producer, input, shiftMs, chunk) => {
        sent.push({ input, shiftMs, numbers: [...chunk.numbers] })
        if (sent.length === endAfter) end.abort()
      },
      parsed: async () => ({ firstMs: 1_000, lastMs: 61_000 }),
    },
  )
  return { result, sent }
}

describe('feedLines', () => {
  it('reads inputs one after the other and numbers the lines of each', async () => {
    const { result, sent } = await feed([inputOf('a', 'x 1\nx 2\n'), inputOf('b', 'x', ' 3')], 1)
    expect(result).toEqual({ lines: 3, bytes: 11, endedEarly: false, failure: undefined })
    expect(sent).toEqual([
      { input: 'a', shiftMs: 0, numbers: [1, 2] },
      { input: 'b', shiftMs: 0, numbers: [1] },
    ])
  })

  it('moves each repeat on by the span of the input', async () => {
    const { result, sent } = await feed([inputOf('a', 'x 1\n')], 3)
    expect(result.lines).toBe(3)
    expect(sent.map(({ shiftMs }) => shiftMs)).toEqual([0, 60_000, 120_000])
  })

  it('ends where an input cannot be read further, with what came before', async () => {
    const { result, sent } = await feed([inputOf('a', 'x 1\nx', new Error('unexpected end of file')), inputOf('b', 'x 1\n')], 2)
    expect(result).toEqual({ lines: 2, bytes: 5, endedEarly: true, failure: 'a: after line 2: unexpected end of file' })
    expect(sent.map(({ numbers }) => numbers)).toEqual([[1], [2]])
  })

  it('ends early when told to', async () => {
    const { result } = await feed([inputOf('a', 'x 1\n', 'x 2\nx', ' 3\n'), inputOf('b', 'x 4\n')], 5, new AbortController(), 2)
    expect(result).toEqual({ lines: 2, bytes: 9, endedEarly: true, failure: undefined })
  })
})
