import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { bytesOf, describeDisk, failureOf } from './disk-contract.ts'
import type { DiskUnderTest } from './disk-contract.ts'

function inTemporaryDirectory(): DiskUnderTest {
  const root = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  return { disk: fileDisk(), root, close: () => rmSync(root, { recursive: true, force: true }) }
}

describeDisk('the real disk', inTemporaryDirectory)

test('a directory is removed with its symbolic links, not with what they lead to', () => {
  const { disk, root, close } = inTemporaryDirectory()
  try {
    disk.makeDirectory(join(root, 'kept'))
    disk.open(join(root, 'kept/a'), 'create').close()
    disk.makeDirectory(join(root, 'gone'))
    symlinkSync(join(root, 'kept'), join(root, 'gone/link'))
    disk.removeDirectory(join(root, 'gone'), true)
    expect([disk.list(root), disk.list(join(root, 'kept'))]).toEqual([['kept'], ['a']])
  } finally {
    close()
  }
})

// A device of Linux that takes no byte and cannot be synced.
test.runIf(existsSync('/dev/full'))('a full disk and a sync that fails, as the system says it', () => {
  const file = fileDisk().open('/dev/full', 'write')
  expect(failureOf(() => file.write(bytesOf('abc'), 0, 3, 5))).toMatchObject({
    reason: 'no-space',
    errno: 'ENOSPC',
    arrivedBytes: 0,
    position: 5,
  })
  expect(failureOf(() => file.writeAll([bytesOf('abc')], 0))).toMatchObject({ reason: 'no-space', cause: { syscall: 'write' } })
  expect(failureOf(() => file.sync())).toMatchObject({ operation: 'sync', cause: { syscall: 'fdatasync' } })
  expect(failureOf(() => file.sync()).reason).toBe('sync-failed')
  expect(failureOf(() => file.write(bytesOf('abc'), 0, 3, 0)).reason).toBe('sync-failed')
  file.close()
})
