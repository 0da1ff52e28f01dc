// C8: how large the package is that npm would publish, and what comes along when it is installed.
// npm says the first (`npm pack`), the lock file the second.

import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measurement, Metric, OpenContext, Running } from '../harness/bench-case.ts'
import { monotonicSeconds } from '../harness/monotonic.ts'
import { notBuilt } from '../start/start.ts'

export const PACKAGE_METRICS = {
  packedBytes: { title: 'packed', unit: 'size', better: 'lower' },
  unpackedBytes: { title: 'unpacked', unit: 'size', better: 'lower' },
  files: { title: 'files', unit: '', better: 'lower' },
  dependencies: { title: 'runtime dependencies', unit: '', better: 'lower' },
  unlisted: { title: 'runtime dependencies outside the list', unit: '', better: 'lower' },
  installed: { title: 'packages that come along', unit: '', better: 'lower' },
  installScripts: { title: 'install scripts among them', unit: '', better: 'lower' },
} as const satisfies Record<string, Metric>

/** What millrace may need at run time. */
export const LISTED: readonly string[] = [
  '@msgpack/msgpack',
  '@node-rs/crc32',
  '@platformatic/wasm-utils',
  'comlink',
  'pino',
  'piscina',
  'rxjs',
]

const PROJECT = new URL('../../', import.meta.url)

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly peer?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Packed {
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly unknown[]
}

export interface Installed {
  readonly dependencies: readonly string[]
  readonly unlisted: readonly string[]
  readonly installed: readonly string[]
  readonly withInstallScript: readonly string[]
}

/** What an installation without development tools brings, by the lock file. */
export function installedBy(lock: LockFile): Installed {
  const own = lock.packages[''] ?? {}
  const dependencies = Object.keys({ ...own.dependencies, ...own.optionalDependencies })
  const along = Object.entries(lock.packages).filter(([path, one]) => path !== '' && !one.dev && !one.devOptional && !one.peer)
  const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const scripted = along.filter(([, one]) => one.hasInstallScript === true).map(([path]) => nameOf(path))
  return {
    dependencies,
    unlisted: dependencies.filter((name) => !LISTED.includes(name)),
    installed: along.map(([path]) => nameOf(path)),
    withInstallScript: own.hasInstallScript === true ? ['millrace', ...scripted] : scripted,
  }
}

export function cannotPack(): string | undefined {
  try {
    execFileSync('npm', ['--version'], { stdio: 'ignore' })
  } catch {
    return 'there is no npm on the PATH'
  }
  return notBuilt()
}

export async function openPackage(context: OpenContext): Promise<Running> {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', PROJECT), 'utf8')) as LockFile
  return {
    async run(): Promise<Measurement> {
      const startSeconds = monotonicSeconds()
      const packed = await pack(context.signal)
      const brought = installedBy(lock)
      return {
        arrival: null,
        bytes: packed.size,
        seconds: monotonicSeconds() - startSeconds,
        values: {
          packedBytes: packed.size,
          unpackedBytes: packed.unpackedSize,
          files: packed.files.length,
          dependencies: brought.dependencies.length,
          unlisted: brought.unlisted.length,
          installed: brought.installed.length,
          installScripts: brought.withInstallScript.length,
        },
        detail: { ...brought },
      }
    },
    close: async () => {},
  }
}

/** What is built is what is packed: the scripts that would build it anew are left out. */
async function pack(signal: AbortSignal): Promise<Packed> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', args, { cwd: fileURLToPath(PROJECT), signal, maxBuffer: 16 * (1 << 20) })
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, Packed>)
  if (packed === undefined) throw new Error('npm pack named no package')
  return packed
}
