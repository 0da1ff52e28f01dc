import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { Input } from '../../examples/user-activity/input.ts'
import { openInputs } from '../../examples/user-activity/input.ts'
import { UsageError } from '../../examples/user-activity/options.ts'

const folder = mkdtempSync(join(tmpdir(), 'user-activity-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function textOf(input: Input, signal = new AbortController().signal): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of input.read(signal)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

describe('openInputs', () => {
  it('reads plain and compressed files alike, told by content, any number of times', async () => {
    const long = 'line\n'.repeat(200_000)
    const contents = [long, gzipSync(long), Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]), '', 'x', '\u001f']
    const files = contents.map((content, at) => file(`plain-${at}.log`, content))
    const inputs = await openInputs(files, 3)
    for (const _ of [1, 2]) {
      expect(await Promise.all(inputs.map((input) => textOf(input)))).toEqual([long, long, 'a\nb\n', '', 'x', '\u001f'])
    }
  })

  it('reads the sample log when there is no file', async () => {
    const [input] = await openInputs([], 1)
    expect((await textOf(input!)).split('\n')).toHaveLength(10_001)
  })

  it('refuses what is missing or no file, before anything is read', async () => {
    const good = file('good.log', 'x\n')
    const missing = join(folder, 'missing.log')
    await expect(openInputs([good, missing], 1)).rejects.toThrow(new UsageError(`${missing}: there is no such file.`))
    await expect(openInputs([folder], 1)).rejects.toThrow(new UsageError(`${folder} is a directory; name the files in it.`))
  })

  it('fails where compressed input is damaged or cut', async () => {
    const [input] = await openInputs([file('cut.gz', gzipSync('line\n'.repeat(1_000)).subarray(0, 30))], 1)
    await expect(textOf(input!)).rejects.toThrow('unexpected end of file')
  })

  it('ends without an error when told to', async () => {
    const [input] = await openInputs([file('long.log', 'line\n'.repeat(1_000_000))], 1)
    const end = new AbortController()
    let bytes = 0
    for await (const piece of input!.read(end.signal)) {
      bytes += piece.length
      end.abort()
    }
    expect(bytes).toBeLessThan(5_000_000)
  })
})
