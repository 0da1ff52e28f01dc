import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LineChunk } from '../../examples/user-activity/line-router.ts'
import { LINE_BYTES_MAX, LineRouter } from '../../examples/user-activity/line-router.ts'

type Line = [number: number, text: string]

function linesOf(chunk: LineChunk | undefined): Line[] {
  if (chunk === undefined) return []
  const text = Buffer.from(chunk.bytes)
  return [...chunk.ends].map((end, at) => [chunk.numbers[at]!, text.toString('utf8', at === 0 ? 0 : chunk.ends[at - 1], end)])
}

/** The lines of each producer. */
function route(producers: number, pieces: readonly Uint8Array[]): Line[][] {
  const router = new LineRouter(producers)
  const routed = Array.from({ length: producers }, (): Line[] => [])
  for (const chunks of [...pieces.map((piece) => router.route(piece)), router.end()]) {
    for (const [producer, chunk] of chunks.entries()) routed[producer]!.push(...linesOf(chunk))
  }
  return routed
}

describe('LineRouter', () => {
  it('numbers lines from 1, without their ends, and takes a last line without one', () => {
    expect(route(1, [Buffer.from('a 1\r\nb 2\n\nc 3')])).toEqual([
      [
        [1, 'a 1'],
        [2, 'b 2'],
        [3, ''],
        [4, 'c 3'],
      ],
    ])
    expect(route(1, [Buffer.from('a 1\n')])).toEqual([[[1, 'a 1']]])
    expect(route(1, [])).toEqual([[]])
  })

  it('finds the same lines however the input is cut, and keeps those of a client on one producer, in order', () => {
    const client = fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', 'ünïcode', '')
    const line = fc.tuple(client, fc.stringMatching(/^[ -~é]{0,20}$/)).map(([name, rest]) => `${name} ${rest}`)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(500)), (lines, producers, cuts) => {
        const bytes = Buffer.from(lines.map((text) => text + '\n').join(''))
        const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b)
        const pieces = ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
        const routed = route(producers, pieces)
        expect(routed.flat().sort(([a], [b]) => a - b)).toEqual(lines.map((text, at) => [at + 1, text]))
        const producersOf = new Map<string, Set<number>>()
        for (const [producer, theirs] of routed.entries()) {
          expect(theirs.map(([number]) => number)).toEqual(theirs.map(([number]) => number).sort((a, b) => a - b))
          for (const [, text] of theirs) {
            const name = text.split(' ')[0]!
            producersOf.set(name, (producersOf.get(name) ?? new Set()).add(producer))
          }
        }
        for (const found of producersOf.values()) expect(found.size).toBe(1)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('spreads clients over the producers', () => {
    const lines = Array.from({ length: 1_000 }, (_, at) => `10.0.${at >> 8}.${at & 255} x\n`)
    for (const theirs of route(4, [Buffer.from(lines.join(''))])) expect(theirs.length).toBeGreaterThan(150)
  })

  it('keeps no more of an endless line than tells that it is too long', () => {
    const piece = Buffer.alloc(50_000, 'x')
    const [lines] = route(1, [piece, piece, piece, Buffer.from('\nshort'), Buffer.from(' line\n'), Buffer.concat([piece, piece])])
    expect(lines!.map(([number, text]) => [number, text.length])).toEqual([
      [1, LINE_BYTES_MAX + 1],
      [2, 10],
      [3, LINE_BYTES_MAX + 1],
    ])
  })
})
