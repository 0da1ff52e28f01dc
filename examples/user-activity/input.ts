// The input, as bytes: files and standard input one after the other, unpacked if
// they are compressed (told by their first two bytes, so a pipe may be, too).
//
// A repeated input is read again from its file. What cannot be read twice, standard
// input and pipes, is kept in memory meanwhile, up to a limit.

import { createReadStream, fstatSync } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { addAbortSignal, pipeline, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { SAMPLE_LOG, UsageError } from './options.ts'

const STANDARD_INPUT = '-'
const READ_BYTES = 262_144
const KEPT_BYTES_MAX = 268_435_456

export interface Input {
  readonly name: string
  /** Its bytes, unpacked, in pieces of any size; ends early, without an error, when `signal` is aborted. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** Looks at every input before the first is read: a missing file is a usage error, not a surprise after an hour. */
export async function openInputs(files: readonly string[], repeat: number): Promise<Input[]> {
  const names = files.length > 0 ? files : [relative(process.cwd(), fileURLToPath(SAMPLE_LOG))]
  return await Promise.all(names.map((name) => openInput(name, repeat)))
}

/** Something is piped into the program, and the command does not name it. */
export function isStandardInputIgnored(files: readonly string[]): boolean {
  if (files.length > 0) return false
  try {
    const stats = fstatSync(0)
    return stats.isFIFO() || stats.isFile()
  } catch {
    return false // closed
  }
}

async function openInput(name: string, repeat: number): Promise<Input> {
  const isRegularFile = name !== STANDARD_INPUT && (await checkFile(name))
  const open = (): Readable => (name === STANDARD_INPUT ? process.stdin : createReadStream(name, { highWaterMark: READ_BYTES }))
  const input: Input = {
    name: name === STANDARD_INPUT ? 'standard input' : name,
    read: (signal) => untilAborted(signal, unpacked(addAbortSignal(signal, open()))),
  }
  return isRegularFile || repeat === 1 ? input : kept(input)
}

/** True for a regular file, false for a pipe or a device. */
async function checkFile(name: string): Promise<boolean> {
  try {
    const stats = await stat(name)
    if (stats.isDirectory()) throw new UsageError(`${name} is a directory; name the files in it.`)
    await access(name, constants.R_OK)
    return stats.isFile()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new UsageError(`${name}: there is no such file.`, { cause: error })
    if (code === 'EACCES') throw new UsageError(`${name}: this file may not be read.`, { cause: error })
    throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function* unpacked(source: Readable): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { value, done } = await chunks.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  const bytes = startingWith(head, chunks)
  if (!isGzip(head)) {
    yield* bytes
    return
  }
  // A failure on either side destroys both, and comes out of this loop.
  for await (const chunk of pipeline(Readable.from(bytes), createGunzip({ chunkSize: READ_BYTES }), () => {})) yield chunk as Buffer
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

async function* startingWith(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

async function* untilAborted(signal: AbortSignal, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** An input that remembers what it has read, and reads it from memory the next time. */
function kept(input: Input): Input {
  const chunks: Uint8Array[] = []
  let complete = false
  let keptBytes = 0
  async function* read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (complete) {
      yield* chunks
      return
    }
    for await (const chunk of input.read(signal)) {
      keptBytes += chunk.length
      if (keptBytes > KEPT_BYTES_MAX) {
        const mib = KEPT_BYTES_MAX / 1_048_576
        throw new Error(`to be repeated it would have to be kept in memory, and it has more than ${mib} MiB: put it into a file`)
      }
      chunks.push(chunk)
      yield chunk
    }
    complete = true
  }
  return { name: input.name, read }
}
