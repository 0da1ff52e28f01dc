// The package as npm would install it: built into node_modules/millrace of an
// empty folder, its dependencies beside it.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url))

const run = promisify(execFile)

export interface BuiltPackage {
  /** The folder of an application that has millrace installed. */
  readonly folder: string
  remove(): Promise<void>
}

export async function buildPackage(): Promise<BuiltPackage> {
  // Symlinks are resolved now, as module URLs are: the paths of both must agree.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-package-')))
  const installed = join(folder, 'node_modules', 'millrace')
  await mkdir(installed, { recursive: true })
  await cp(join(PROJECT_ROOT, 'package.json'), join(installed, 'package.json'))
  const build = join(PROJECT_ROOT, '.ci', 'build.mjs')
  await run(process.execPath, [build, join(installed, 'dist')], { cwd: PROJECT_ROOT }).catch((error: unknown) => {
    throw new Error(`the build failed: ${(error as { stdout?: string }).stdout ?? String(error)}`, { cause: error })
  })
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    peerDependencies: Record<string, string>
  }
  for (const name of [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]) {
    const link = join(folder, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(PROJECT_ROOT, 'node_modules', name), link, 'junction')
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Runs a program in a process of its own until it ends by itself; gives what it printed as JSON. */
export async function runProgram(path: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [path], { timeout: 20_000, cwd: dirname(path) }).catch((error: unknown) => {
    const { stderr = '', signal } = error as { stderr?: string; signal?: string }
    throw new Error(`${path} failed${signal === 'SIGTERM' ? ': it did not end by itself' : ''}\n${stderr}`, { cause: error })
  })
  return JSON.parse(stdout) as unknown
}
