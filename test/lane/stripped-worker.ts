// A worker's file as plain JavaScript, with all that it imports, in a folder of its own.
// Node.js strips types in each new thread anew, which is most of a short thread's life:
// tests that start hundreds of threads do it once.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url))

export class StrippedWorker {
  readonly url: URL
  readonly #folder = mkdtempSync(join(tmpdir(), 'stripped-worker-'))
  readonly #done = new Set<string>()

  /** `beside`: files that are started by name alone, and so are not found among the imports. */
  constructor(source: URL, ...beside: URL[]) {
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(this.#folder, 'node_modules'), 'dir')
    this.url = pathToFileURL(this.#strip(fileURLToPath(source)))
    for (const one of beside) this.#strip(fileURLToPath(one))
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Where the file now is. */
  #strip(path: string): string {
    const target = join(this.#folder, relative(PROJECT_ROOT, path)).replace(/\.ts$/, '.js')
    if (this.#done.has(path)) return target
    this.#done.add(path)
    const relativeImports = /\b(from |import |import\()'(\.[^']+)\.ts'/g
    const code = stripTypeScriptTypes(readFileSync(path, 'utf8')).replaceAll(relativeImports, (_, keyword: string, specifier: string) => {
      this.#strip(join(dirname(path), `${specifier}.ts`))
      return `${keyword}'${specifier}.js'`
    })
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code)
    return target
  }
}
