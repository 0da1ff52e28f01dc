import { basename } from 'node:path'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PROJECT_ROOT } from './source-file.ts'

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
  readonly optionalDependencies: Record<string, string>
  readonly peerDependencies: Record<string, string>
  readonly engines: { readonly node: string }
  readonly exports: Record<string, string | { types: string; default: string }>
  readonly sideEffects: readonly string[]
  readonly allowScripts: Record<string, boolean>
}

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

const read = (path: string): string => readFileSync(new URL(path, PROJECT_ROOT), 'utf8')
const manifest = JSON.parse(read('package.json')) as Manifest
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> }

describe('the lock file', () => {
  test('names no download addresses', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/)
  })

  test('was written for this package.json', () => {
    const root = lock.packages['']!
    expect(root.dependencies).toEqual(manifest.dependencies)
    expect(root.devDependencies).toEqual(manifest.devDependencies)
    expect(root.optionalDependencies).toEqual(manifest.optionalDependencies)
  })

  test('no package that users install runs a script', () => {
    const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
    expect(scripted.map(([name]) => name)).toEqual([])
  })
})

describe('package.json', () => {
  test('pins every dependency', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }).filter(
      ([, range]) => !/^\d+\.\d+\.\d+$/.test(range),
    )
    expect(loose).toEqual([])
  })

  test('lets only the pinned Node.js run an install script', () => {
    expect(manifest.allowScripts).toEqual({ node: true })
  })

  test('supports Node.js from 22.22', () => {
    expect(manifest.engines.node).toBe('>=22.22')
  })

  test('exports files that the build makes from sources that are there', () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target === 'string') continue
      const source = target.types.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts')
      expect(basename(target.default, '.js')).toBe(basename(source, '.ts'))
      expect(existsSync(new URL(source, PROJECT_ROOT)), source).toBe(true)
    }
  })

  test('keeps the worker entry when a bundler drops what is not used', () => {
    const worker = manifest.exports['./worker'] as { default: string }
    expect(manifest.sideEffects).toContain(worker.default)
  })
})

test('the top level holds the folders of the map and no others', () => {
  const folders = readdirSync(PROJECT_ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const expected = ['benchmarks', 'examples', 'src', 'test']
  const made = ['coverage', 'dist', 'node_modules']
  expect(folders.map(({ name }) => name).filter((name) => !made.includes(name))).toEqual(expected)
})
