// What every disk promises, real or simulated. A kind of disk runs this with its own way to make one.

import fc from 'fast-check'
import { beforeEach, afterEach, describe, expect, test } from 'vitest'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { Disk, DiskFile, OpenFlags } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { replaceFile } from '../../src/disk/replace-file.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** An empty directory. */
  readonly root: string
  /** Has syncs that were started end, where they do not by themselves. */
  readonly endSyncs?: () => void
  close(): void
}

const SEED = 20_261_130

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.slice())
}

export function failureOf(body: () => unknown): DiskError {
  try {
    body()
  } catch (error) {
    if (error instanceof DiskError) return error
    throw error
  }
  throw new Error('no failure')
}

export function describeDisk(name: string, make: () => DiskUnderTest): void {
  describe(name, () => {
    let under: DiskUnderTest
    let disk: Disk
    let at: (name: string) => string
    beforeEach(() => {
      under = make()
      disk = under.disk
      at = (path) => `${under.root}/${path}`
    })
    afterEach(() => under.close())

    const withFile = <Result>(path: string, flags: OpenFlags, body: (file: DiskFile) => Result): Result => {
      const file = disk.open(at(path), flags)
      try {
        return body(file)
      } finally {
        file.close()
      }
    }
    const put = (path: string, text: string): void => {
      withFile(path, 'create', (file) => file.write(bytesOf(text), 0, text.length, 0))
    }
    const text = (path: string): string => textOf(readWhole(disk, at(path), 1 << 24))

    describe('a file', () => {
      test('is made empty, written, read', () => {
        withFile('a', 'create', (file) => {
          expect(file.path).toBe(at('a'))
          expect(file.sizeInBytes()).toBe(0)
          expect(file.write(bytesOf('xhellox'), 1, 6, 0)).toBe(5)
          expect(file.write(bytesOf(' world'), 0, 6, 5)).toBe(6)
          expect(file.sizeInBytes()).toBe(11)
          file.sync()
        })
        expect(text('a')).toBe('hello world')
        withFile('a', 'write', (file) => file.write(bytesOf('J'), 0, 1, 0))
        expect(text('a')).toBe('Jello world')
      })

      test('is synced while it is written on, and let go of only then', async () => {
        const file = disk.open(at('a'), 'create')
        file.write(bytesOf('hello'), 0, 5, 0)
        const ended = new Promise((resolve) => file.startSync(resolve))
        file.write(bytesOf(' world'), 0, 6, 5)
        const endedToo = new Promise((resolve) => file.startSync(resolve))
        file.close()
        expect(() => file.startSync(() => undefined)).toThrow(/after it was closed/)
        under.endSyncs?.()
        expect(await Promise.all([ended, endedToo])).toEqual([undefined, undefined])
        expect(text('a')).toBe('hello world')
      })

      test('a read is short only at the end', () => {
        put('a', 'hello')
        withFile('a', 'read', (file) => {
          const into = bytesOf('..........')
          expect(file.read(into, 2, 5, 1)).toBe(3)
          expect(textOf(into)).toBe('..ell.....')
          expect(file.read(into, 0, 10, 3)).toBe(2)
          expect(file.read(into, 0, 10, 5)).toBe(0)
          expect(file.read(into, 0, 10, 50)).toBe(0)
          expect(file.read(into, 3, 3, 0)).toBe(0)
        })
      })

      test('a gap holds zeros, and so does what truncate adds', () => {
        withFile('a', 'create', (file) => {
          file.write(bytesOf('ab'), 0, 2, 5_000)
          expect(file.sizeInBytes()).toBe(5_002)
          file.truncate(5_001)
          file.truncate(5_003)
        })
        const expected = new Uint8Array(5_003)
        expected[5_000] = 0x61
        expect(readWhole(disk, at('a'), 5_003)).toEqual(expected)
      })

      test('writeAll takes many views, of shared memory too, also none and empty ones', () => {
        const shared = new Uint8Array(new SharedArrayBuffer(10_000)).fill(7)
        const views = Array.from({ length: 1_500 }, (_, i) => shared.subarray(i, i + (i % 5)))
        withFile('a', 'create', (file) => {
          expect(file.writeAll([], 0)).toBe(0)
          expect(file.writeAll([shared.subarray(0, 0)], 3)).toBe(0)
          expect(file.sizeInBytes()).toBe(0)
          expect(file.writeAll(views, 4)).toBe(3_000)
          expect(file.write(shared, 5, 10, 3_004)).toBe(5)
        })
        expect(readWhole(disk, at('a'), 4_000)).toEqual(Uint8Array.from({ length: 3_009 }, (_, i) => (i < 4 ? 0 : 7)))
      })

      test('reads into shared memory', () => {
        put('a', 'hello')
        const shared = new Uint8Array(new SharedArrayBuffer(8))
        withFile('a', 'read', (file) => expect(file.read(shared, 1, 6, 0)).toBe(5))
        expect(textOf(shared.subarray(1, 6))).toBe('hello')
      })

      test('any writes and cuts leave what they leave of an array', () => {
        const action = fc.oneof(
          fc.record({
            position: fc.nat(20_000),
            lengths: fc.array(fc.nat(6_000), { maxLength: 4 }),
            fill: fc.integer({ min: 1, max: 255 }),
          }),
          fc.record({ truncate: fc.nat(20_000) }),
        )
        let run = 0
        fc.assert(
          fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
            const model = new Uint8Array(50_000)
            let size = 0
            withFile(`any-${run++}`, 'create', (file) => {
              for (const one of actions) {
                if ('truncate' in one) {
                  file.truncate(one.truncate)
                  size = one.truncate
                  model.fill(0, size)
                  continue
                }
                const { position, lengths, fill } = one
                const length = file.writeAll(
                  lengths.map((length) => new Uint8Array(length).fill(fill)),
                  position,
                )
                model.fill(fill, position, position + length)
                if (length > 0) size = Math.max(size, position + length)
              }
              expect(file.sizeInBytes()).toBe(size)
              const all = new Uint8Array(size)
              expect(file.read(all, 0, size, 0)).toBe(size)
              expect(Buffer.compare(all, model.subarray(0, size))).toBe(0)
            })
          }),
          { seed: SEED, numRuns: 60 },
        )
      })

      test('is not opened where it is missing, and not made where one is', () => {
        expect(failureOf(() => disk.open(at('a'), 'read'))).toMatchObject({ reason: 'not-found', errno: 'ENOENT', operation: 'open' })
        expect(failureOf(() => disk.open(at('a'), 'write')).reason).toBe('not-found')
        put('a', 'x')
        expect(failureOf(() => disk.open(at('a'), 'create'))).toMatchObject({ reason: 'exists', errno: 'EEXIST', path: at('a') })
        expect(text('a')).toBe('x')
      })

      test('a failure is a typed error that names the file and says what to do', () => {
        const error = failureOf(() => disk.open(at('none/a'), 'create'))
        expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR', retriable: true, cause: { code: 'ENOENT' } })
        expect(error.message).toContain(at('none/a'))
        expect(error.message).toContain('ENOENT')
        expect(error.message.split(': ')[1]).toMatch(/\w+ \w+/)
      })

      test('that was opened to be read is not written, and a closed one not used', () => {
        put('a', 'x')
        withFile('a', 'read', (file) => {
          expect(() => file.write(bytesOf('y'), 0, 1, 0)).toThrow(/opened to be read/)
          expect(() => file.truncate(0)).toThrow(/opened to be read/)
        })
        const file = disk.open(at('a'), 'write')
        file.close()
        file.close()
        expect(() => file.sync()).toThrow(/after it was closed/)
        expect(() => file.write(bytesOf('y'), 0, 1, 0)).toThrow(/after it was closed/)
        expect(() => file.read(bytesOf('y'), 0, 1, 0)).toThrow(/after it was closed/)
        expect(() => file.sizeInBytes()).toThrow(/after it was closed/)
        expect(text('a')).toBe('x')
      })

      test('ranges and positions that cannot be are refused', () => {
        withFile('a', 'create', (file) => {
          const bytes = bytesOf('abc')
          expect(() => file.write(bytes, 0, 4, 0)).toThrow(/assertion/)
          expect(() => file.write(bytes, 2, 1, 0)).toThrow(/assertion/)
          expect(() => file.write(bytes, 0, 1, -1)).toThrow(/assertion/)
          expect(() => file.read(bytes, 0, 1, Number.NaN)).toThrow(/assertion/)
          expect(() => file.writeAll([bytes], 0.5)).toThrow(/assertion/)
          expect(() => file.truncate(-1)).toThrow(/assertion/)
          expect(file.sizeInBytes()).toBe(0)
        })
      })

      test('removed or renamed while it is open, it is still read and written', () => {
        withFile('a', 'create', (file) => {
          file.write(bytesOf('abc'), 0, 3, 0)
          disk.rename(at('a'), at('b'))
          file.write(bytesOf('def'), 0, 3, 3)
          expect(text('b')).toBe('abcdef')
          disk.remove(at('b'))
          file.write(bytesOf('ghi'), 0, 3, 6)
          expect(file.sizeInBytes()).toBe(9)
          put('b', 'another')
          const into = new Uint8Array(9)
          file.read(into, 0, 9, 0)
          expect(textOf(into)).toBe('abcdefghi')
        })
        expect(text('b')).toBe('another')
      })
    })

    describe('names', () => {
      test('exists and stat', () => {
        put('a', 'hello')
        disk.makeDirectory(at('d'))
        expect([disk.exists(at('a')), disk.exists(at('d')), disk.exists(at('b')), disk.exists(at('a/b'))]).toEqual([
          true,
          true,
          false,
          false,
        ])
        expect(disk.stat(at('a'))).toMatchObject({ sizeInBytes: 5, isDirectory: false })
        expect(disk.stat(at('a')).modifiedMs).toBeGreaterThan(0)
        expect(disk.stat(at('d')).isDirectory).toBe(true)
        expect(failureOf(() => disk.stat(at('b'))).reason).toBe('not-found')
      })

      test('list is sorted', () => {
        for (const one of ['b', 'a', 'c', 'B', '10', '9']) put(one, '')
        disk.makeDirectory(at('aa'))
        expect(disk.list(under.root)).toEqual(['10', '9', 'B', 'a', 'aa', 'b', 'c'])
        expect(failureOf(() => disk.list(at('none'))).reason).toBe('not-found')
        expect(failureOf(() => disk.list(at('a'))).reason).toBe('wrong-kind')
      })

      test('directories', () => {
        disk.makeDirectory(at('x/y/z'), true)
        disk.makeDirectory(at('x/y/z'), true)
        put('x/y/z/a', 'hello')
        expect(text('x/y/z/a')).toBe('hello')
        expect(failureOf(() => disk.makeDirectory(at('x'))).reason).toBe('exists')
        expect(failureOf(() => disk.makeDirectory(at('none/x'))).reason).toBe('not-found')
        expect(['exists', 'wrong-kind']).toContain(failureOf(() => disk.makeDirectory(at('x/y/z/a'), true)).reason)
        expect(failureOf(() => disk.makeDirectory(at('x/y/z/a/b'), true)).reason).toBe('wrong-kind')
        expect(failureOf(() => disk.open(at('x/y'), 'write')).reason).toBe('wrong-kind')
        expect(failureOf(() => disk.removeDirectory(at('x/y'))).reason).toBe('exists')
        expect(failureOf(() => disk.removeDirectory(at('x/y/z/a'))).reason).toBe('wrong-kind')
        disk.removeDirectory(at('x'), true)
        expect(disk.list(under.root)).toEqual([])
        expect(failureOf(() => disk.removeDirectory(at('x'), true)).reason).toBe('not-found')
      })

      test('rename replaces a file, and moves a directory with what is in it', () => {
        put('a', 'one')
        put('b', 'two')
        disk.rename(at('a'), at('b'))
        expect([disk.list(under.root), text('b')]).toEqual([['b'], 'one'])
        disk.rename(at('b'), at('b'))
        expect(text('b')).toBe('one')
        disk.makeDirectory(at('d'))
        disk.makeDirectory(at('e'))
        put('d/c', 'three')
        disk.rename(at('d'), at('e/d'))
        expect([disk.list(under.root), text('e/d/c')]).toEqual([['b', 'e'], 'three'])
        expect(failureOf(() => disk.rename(at('none'), at('b')))).toMatchObject({ reason: 'not-found', operation: 'rename' })
        expect(failureOf(() => disk.rename(at('b'), at('e'))).reason).toBe('wrong-kind')
        expect(failureOf(() => disk.rename(at('e'), at('b'))).reason).toBe('wrong-kind')
        expect(text('b')).toBe('one')
      })

      test('remove', () => {
        put('a', '')
        disk.remove(at('a'))
        expect(disk.exists(at('a'))).toBe(false)
        expect(failureOf(() => disk.remove(at('a')))).toMatchObject({ reason: 'not-found', operation: 'remove', path: at('a') })
      })

      test('a directory is synced, a missing one is not, and that is tried again', () => {
        disk.syncDirectory(under.root)
        expect(failureOf(() => disk.syncDirectory(at('d'))).reason).toBe('not-found')
        disk.makeDirectory(at('d'))
        disk.syncDirectory(at('d'))
      })

      test('free bytes', () => {
        expect(disk.freeBytes(under.root)).toBeGreaterThan(1 << 16)
        expect(failureOf(() => disk.freeBytes(at('none'))).reason).toBe('not-found')
      })
    })

    describe('a small file in one piece', () => {
      test('is read within its bound', () => {
        put('a', 'hello')
        expect(textOf(readWhole(disk, at('a'), 5))).toBe('hello')
        expect(failureOf(() => readWhole(disk, at('a'), 4))).toMatchObject({ reason: 'too-large', path: at('a') })
      })

      test('is replaced, also where a crash left its temporary file', () => {
        replaceFile(disk, at('a'), bytesOf('one'))
        expect(text('a')).toBe('one')
        put('a.tmp', 'something longer')
        replaceFile(disk, at('a'), bytesOf('two'))
        expect([text('a'), disk.list(under.root)]).toEqual(['two', ['a']])
      })
    })
  })
}
