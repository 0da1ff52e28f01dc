// The file of a thread or a process as plain JavaScript, in one piece with all that it imports.
// Node.js strips the types of two hundred files in each new thread anew, which is most of a
// short one's life: tests that start hundreds of them do it once, and a suite does it once for
// all of its files.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Names the folder of a suite's bundles, for its processes. */
export const BUNDLES_VARIABLE = 'MILLRACE_TEST_BUNDLES'

const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BUNDLER = fileURLToPath(new URL('./bundle.ts', import.meta.url))
const SOURCES = join(PROJECT_ROOT, 'src')

/** A new folder for bundles, in which packages resolve. */
export function makeBundlesFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bundles-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir')
  return folder
}

/** A process that just ends may still write what V8 compiled for it: what it leaves in a temporary folder fails no suite. */
export function removeBundlesFolder(folder: string): void {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    }
  }
}

const REMOVE_ATTEMPTS = 100

let ownFolder: string | undefined

function bundlesFolder(): string {
  const suites = process.env[BUNDLES_VARIABLE]
  if (suites !== undefined) return suites
  if (ownFolder === undefined) {
    const folder = makeBundlesFolder()
    process.on('exit', () => removeBundlesFolder(folder))
    ownFolder = folder
  }
  return ownFolder
}

/** Where the file now is: in the suite's folder, or in one that goes when this process ends. */
export async function bundledEntry(source: URL): Promise<URL> {
  const folder = bundlesFolder()
  const path = fileURLToPath(source)
  const name = relative(PROJECT_ROOT, path).replace(/\.ts$/, '').replaceAll(/[\\/]/g, '-')
  const entry = join(folder, `${name}.js`)
  if (!existsSync(entry)) {
    await Promise.all(startedByName().map((each) => bundle(each, join(folder, `${basename(each, '.ts')}.js`))))
    await bundle(path, entry)
  }
  return pathToFileURL(entry)
}

/** The files of `src` that are no module's import: threads find them by name, beside their own file. */
export function startedByName(): string[] {
  const found = new Set<string>()
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const text = readFileSync(join(SOURCES, name), 'utf8')
    for (const [, beside] of text.matchAll(/entryBeside\('(\.[^']+)'/g)) found.add(join(SOURCES, dirname(name), `${beside}.ts`))
  }
  return [...found]
}

const bundling = new Map<string, Promise<void>>()

/** Once, whoever asks for it meanwhile. */
function bundle(path: string, to: string): Promise<void> {
  const under = bundling.get(to) ?? (existsSync(to) ? Promise.resolve() : makeBundle(path, to))
  bundling.set(to, under)
  return under
}

/** In a process of its own: a bundler takes memory, and tests measure theirs. */
async function makeBundle(path: string, to: string): Promise<void> {
  // Another process may be at it, too.
  const made = `${to.slice(0, -3)}.${process.pid}.js`
  await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', BUNDLER, path, made])
  renameSync(made, to)
}
