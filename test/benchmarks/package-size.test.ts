import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { installedBy } from '../../benchmarks/package/package-size.ts'
import type { LockFile } from '../../benchmarks/package/package-size.ts'

describe('what an installation brings', () => {
  test('development tools and peers do not count, scripts and strangers do', () => {
    const brought = installedBy({
      packages: {
        '': { dependencies: { comlink: '4', stranger: '1' }, optionalDependencies: { '@node-rs/crc32': '1' } },
        'node_modules/comlink': {},
        'node_modules/stranger': { hasInstallScript: true },
        'node_modules/stranger/node_modules/@a/nested': {},
        'node_modules/rxjs': { peer: true },
        'node_modules/vitest': { dev: true, hasInstallScript: true },
      },
    })
    expect(brought).toEqual({
      dependencies: ['comlink', 'stranger', '@node-rs/crc32'],
      unlisted: ['stranger'],
      installed: ['comlink', 'stranger', '@a/nested'],
      withInstallScript: ['stranger'],
    })
  })

  test('the lock file of this package says that nothing runs at installation', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as LockFile
    const { dependencies, unlisted, installed, withInstallScript } = installedBy(lock)
    expect(dependencies.length).toBeGreaterThan(0)
    expect(installed.length).toBeGreaterThanOrEqual(dependencies.length)
    expect([unlisted, withInstallScript]).toEqual([[], []])
  })
})
