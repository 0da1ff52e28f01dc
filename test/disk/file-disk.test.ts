import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { describeDisk } from './disk-contract.ts'
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
