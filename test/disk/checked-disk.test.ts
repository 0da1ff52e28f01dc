import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CheckedDisk } from '../../src/disk/checked-disk.ts'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { DiskErrorReason } from '../../src/disk/disk-error.ts'
import type { DiskCalls } from '../../src/disk/disk-calls.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { replaceFile } from '../../src/disk/replace-file.ts'
import { errorFromData, errorToData } from '../../src/errors.ts'
import { bytesOf, failureOf, textOf } from './disk-contract.ts'
import { errnoError, SimulatedStop } from './disk-faults.ts'
import type { DiskFault } from './disk-faults.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const SEED = 20_261_130

function diskWith(...faults: DiskFault[]): SimulatedDisk {
  return new SimulatedDisk({ faults })
}

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => 1 + ((i * 7) % 255))

describe('a write', () => {
  test('goes on where a short one stopped', () => {
    const disk = diskWith({ kind: 'short', at: 1, times: 3 })
    const file = disk.open('/a', 'create')
    expect(file.write(pattern(1_000), 0, 1_000, 10)).toBe(1_000)
    expect(readWhole(disk, '/a', 2_000).subarray(10)).toEqual(pattern(1_000))
    expect([disk.calls.get('write'), disk.faultsBitten]).toEqual([4, 3])
  })

  test('of many views goes on where a short one stopped, wherever that is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 12 }), fc.nat(8), (lengths, times) => {
        const disk = diskWith({ kind: 'short', at: 1, times })
        const wanted = lengths.reduce((sum, length) => sum + length, 0)
        const all = pattern(wanted)
        let start = 0
        const views = lengths.map((length) => all.subarray(start, (start += length)))
        const file = disk.open('/a', 'create')
        expect(file.writeAll(views, 3)).toBe(wanted)
        expect(readWhole(disk, '/a', 1_000).subarray(3)).toEqual(all)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test.each(['write', 'writeAll'] as const)('%s that fails on the way says how many bytes arrived', (how) => {
    const disk = diskWith({ kind: 'short', at: 1, times: 2 }, { kind: 'EIO', at: 3, calls: ['write', 'writeViews'] })
    const file = disk.open('/a', 'create')
    const error = failureOf(() =>
      how === 'write' ? file.write(pattern(1_000), 0, 1_000, 50) : file.writeAll([pattern(400), pattern(600)], 50),
    )
    expect(error).toMatchObject({ operation: 'write', path: '/a', position: 50, arrivedBytes: 750, reason: 'io', errno: 'EIO' })
    expect(error.message).toBe(
      'write of /a at byte 50 failed (EIO, 750 of 1000 bytes arrived): look at the kernel log and the health of the disk, then open it again and recover',
    )
    expect(file.sizeInBytes()).toBe(800)
    expect(disk.unbitten).toEqual([])
  })

  test('that takes nothing is a failure, not a loop', () => {
    const calls = { open: () => 1, write: () => 0, writeViews: () => 0 } as unknown as DiskCalls
    const file = new CheckedDisk(calls).open('/a', 'create')
    expect(failureOf(() => file.write(pattern(5), 0, 5, 0))).toMatchObject({ reason: 'io', arrivedBytes: 0 })
    expect(failureOf(() => file.writeAll([pattern(5)], 0))).toMatchObject({ reason: 'io', arrivedBytes: 0 })
  })

  test('on a full disk is told apart, and goes on after space was freed', () => {
    const disk = new SimulatedDisk({ capacityBytes: 3 * 4096 })
    const other = disk.open('/other', 'create')
    other.write(pattern(4096), 0, 4096, 0)
    other.close()
    const file = disk.open('/a', 'create')
    const error = failureOf(() => file.write(pattern(10_000), 0, 10_000, 100))
    expect(error).toMatchObject({ reason: 'no-space', errno: 'ENOSPC', cause: { code: 'ENOSPC' }, arrivedBytes: 8_092, position: 100 })
    expect(error.message).toContain('free space')
    expect(disk.freeBytes('/')).toBe(0)
    disk.remove('/other')
    expect(disk.freeBytes('/')).toBe(4096)
    expect(file.write(pattern(10_000), 0, 10_000, 100)).toBe(10_000)
  })
})

describe('a read', () => {
  test('goes on where a short one stopped', () => {
    const disk = diskWith({ kind: 'short', at: 1, times: 4 })
    const file = disk.open('/a', 'create')
    file.write(pattern(1), 0, 1, 0)
    disk.plan([{ kind: 'short', at: 1, times: 4 }])
    file.write(pattern(1), 0, 1, 0)
    file.truncate(100)
    file.write(bytesOf('xyz'), 0, 3, 97)
    const into = new Uint8Array(100)
    expect(file.read(into, 0, 100, 0)).toBe(100)
    expect(textOf(into.subarray(97))).toBe('xyz')
    expect(disk.faultsBitten).toBe(4)
  })

  test('that fails says where', () => {
    const disk = diskWith({ kind: 'EIO', at: 1, calls: ['read'] })
    const file = disk.open('/a', 'create')
    file.write(pattern(100), 0, 100, 0)
    expect(failureOf(() => file.read(new Uint8Array(10), 0, 10, 7))).toMatchObject({ operation: 'read', position: 7, errno: 'EIO' })
    expect(file.read(new Uint8Array(10), 0, 10, 7)).toBe(10)
  })
})

describe('a sync that failed', () => {
  test.each(['EIO', 'ENOSPC'] as const)('%s: is never tried again, and nothing is written any more; what is there is read', (kind) => {
    const disk = diskWith({ kind, at: 1, calls: ['sync'] })
    const file = disk.open('/a', 'create')
    file.write(bytesOf('abc'), 0, 3, 0)
    expect(failureOf(() => file.sync())).toMatchObject({ operation: 'sync', errno: kind, reason: kind === 'EIO' ? 'io' : 'no-space' })
    for (const refused of [
      () => file.sync(),
      () => file.write(bytesOf('d'), 0, 1, 3),
      () => file.writeAll([bytesOf('d')], 3),
      () => file.truncate(0),
    ]) {
      const error = failureOf(refused)
      expect(error).toMatchObject({ reason: 'sync-failed', path: '/a', cause: { errno: kind } })
      expect(error.message).toContain('open it again and recover')
    }
    expect([disk.calls.get('sync'), disk.calls.get('write'), disk.calls.get('truncate')]).toEqual([1, 1, undefined])
    expect(textOf(readWhole(disk, '/a', 10))).toBe('abc')
    file.close()
  })

  test('though it was started and the file written meanwhile: the same', () => {
    const disk = diskWith({ kind: 'EIO', at: 1, calls: ['sync'] })
    const file = disk.open('/a', 'create')
    file.write(bytesOf('abc'), 0, 3, 0)
    let failure: unknown
    file.startSync((told) => (failure = told))
    file.write(bytesOf('d'), 0, 1, 3)
    expect(failure).toBeUndefined()
    disk.endSyncs()
    expect(failure).toMatchObject({ operation: 'sync', errno: 'EIO', reason: 'io' })
    for (const refused of [() => file.startSync(() => undefined), () => file.sync(), () => file.write(bytesOf('e'), 0, 1, 4)]) {
      expect(failureOf(refused)).toMatchObject({ reason: 'sync-failed', path: '/a', cause: { errno: 'EIO' } })
    }
    expect(disk.calls.get('sync')).toBe(1)
    file.close()
  })

  test('leaves other files alone', () => {
    const disk = diskWith({ kind: 'EIO', at: 1, calls: ['sync'], path: '/a' })
    const [a, b] = [disk.open('/a', 'create'), disk.open('/b', 'create')]
    failureOf(() => a.sync())
    b.write(bytesOf('x'), 0, 1, 0)
    b.sync()
  })

  test('of a directory is never tried again by this Disk', () => {
    const disk = diskWith({ kind: 'EIO', at: 2, calls: ['syncDirectory'] })
    disk.makeDirectory('/d')
    disk.syncDirectory('/d')
    expect(failureOf(() => disk.syncDirectory('/d'))).toMatchObject({ operation: 'sync-directory', errno: 'EIO' })
    expect(failureOf(() => disk.syncDirectory('/d'))).toMatchObject({ reason: 'sync-failed', path: '/d' })
    disk.syncDirectory('/')
    expect(disk.calls.get('syncDirectory')).toBe(3)
    disk.another().syncDirectory('/d')
  })

  test('of a directory that could not be opened is tried again', () => {
    const disk = diskWith({ kind: 'EMFILE', at: 1, calls: ['syncDirectory'] })
    expect(failureOf(() => disk.syncDirectory('/')).reason).toBe('too-many-open-files')
    disk.syncDirectory('/')
  })

  test('does not stop a small file from being replaced by a new one', () => {
    const disk = diskWith({ kind: 'EIO', at: 2, calls: ['sync'] })
    replaceFile(disk, '/a', bytesOf('one'))
    failureOf(() => replaceFile(disk, '/a', bytesOf('two')))
    expect(textOf(readWhole(disk, '/a', 10))).toBe('one')
    replaceFile(disk, '/a', bytesOf('three'))
    for (const state of disk.crashStates(SEED)) expect(textOf(readWhole(state.disk, '/a', 10))).toBe('three')
  })
})

test('a directory that another thread makes meanwhile is taken; a file in its place is not', () => {
  const made = (isDirectory: boolean): CheckedDisk => {
    let looks = 0
    const stat = (path: string): unknown => (path === '/' || looks++ > 0 ? { isDirectory: isDirectory || path === '/' } : undefined)
    const makeDirectory = (path: string): never => {
      throw errnoError('EEXIST', 'makeDirectory', path)
    }
    return new CheckedDisk({ stat, makeDirectory } as unknown as DiskCalls)
  }
  made(true).makeDirectory('/a', true)
  expect(failureOf(() => made(false).makeDirectory('/a', true))).toMatchObject({
    reason: 'exists',
    operation: 'make-directory',
    path: '/a',
  })
})

describe('a failure', () => {
  test.each<[string, DiskErrorReason]>([
    ['ENOSPC', 'no-space'],
    ['EDQUOT', 'no-space'],
    ['EACCES', 'no-permission'],
    ['EPERM', 'no-permission'],
    ['EROFS', 'no-permission'],
    ['EMFILE', 'too-many-open-files'],
    ['ENOTDIR', 'wrong-kind'],
    ['EIO', 'io'],
    ['EUCLEAN', 'io'],
  ])('%s is %s', (errno, reason) => {
    const cause = Object.assign(new Error('x'), { code: errno })
    const error = new DiskError({ path: '/a', operation: 'rename', cause })
    expect(error).toMatchObject({ reason, errno, cause, code: 'KAFKA_STORAGE_ERROR' })
    expect(error.message).toMatch(new RegExp(`^rename of /a failed \\(${errno}\\): \\w+ .{15,}`))
  })

  test('keeps its errno code through a message port', () => {
    const error = failureOf(() => new SimulatedDisk().open('/a', 'read'))
    const arrived = errorFromData(structuredClone(errorToData(error)))
    expect(arrived).toMatchObject({ name: 'MillraceError', code: 'KAFKA_STORAGE_ERROR', cause: { code: 'ENOENT' } })
  })

  test('of the program, or its end, goes through as it is', () => {
    const disk = diskWith({ kind: 'stop', at: 3 })
    const file = disk.open('/a', 'create')
    file.write(bytesOf('a'), 0, 1, 0)
    expect(() => file.sync()).toThrow(SimulatedStop)
    expect(() => disk.exists('/a')).toThrow(SimulatedStop)
    expect(() => disk.makeDirectory('/x/y', true)).toThrow(SimulatedStop)
    const defect = new TypeError('defect')
    const failing = (): never => {
      throw defect
    }
    expect(() => new CheckedDisk({ stat: failing } as unknown as DiskCalls).stat('/a')).toThrow(defect)
  })

  test.each([
    'open',
    'close',
    'size',
    'read',
    'truncate',
    'stat',
    'list',
    'makeDirectory',
    'rename',
    'remove',
    'removeDirectory',
    'freeBytes',
  ] as const)('of %s is typed and names the path', (call) => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/d')
    const file = disk.open('/d/a', 'create')
    disk.plan([{ kind: 'EIO', at: 1, calls: [call] }])
    const error = failureOf(() => {
      disk.stat('/d/a')
      file.sizeInBytes()
      file.truncate(5)
      file.read(new Uint8Array(3), 0, 3, 0)
      file.close()
      disk.open('/d/a', 'read').close()
      disk.list('/d')
      disk.freeBytes('/d')
      disk.makeDirectory('/d/e')
      disk.rename('/d/e', '/d/f')
      disk.removeDirectory('/d', true)
    })
    expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR', errno: 'EIO' })
    expect(error.path).toMatch(/^\/d/)
    expect(disk.unbitten).toEqual([])
  })
})
