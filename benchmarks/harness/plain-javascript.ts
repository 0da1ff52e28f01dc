// Parts of the benchmark as plain JavaScript on the built package, for what measures memory: Node.js
// takes 10 to 40 MiB a thread to strip the types of a source, which no user of the package pays.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUILT } from '../start/start.ts'

const BENCHMARKS = new URL('../', import.meta.url)

export interface PlainJavaScript {
  /** Of a module of these folders, such as `soak/soak-road.js`. */
  url(path: string): URL
  remove(): void
}

/** The folders of the benchmark that are needed, and all that they import of others. */
export function plainJavaScript(folders: readonly string[]): PlainJavaScript {
  const root = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n')
  for (const folder of folders) {
    mkdirSync(join(root, folder))
    for (const name of readdirSync(new URL(`${folder}/`, BENCHMARKS)).filter((one) => one.endsWith('.ts'))) {
      const source = readFileSync(new URL(`${folder}/${name}`, BENCHMARKS), 'utf8')
      writeFileSync(join(root, folder, name.replace(/\.ts$/, '.js')), onBuiltPackage(withoutTypes(source)))
    }
  }
  return {
    url: (path) => pathToFileURL(join(root, path)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** What Node.js does itself when it loads a source; called by name it warns that it is experimental. */
function withoutTypes(source: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

export function onBuiltPackage(code: string): string {
  return code.replaceAll("'../../src/index.ts'", `'${BUILT.href}'`).replaceAll(/'(\.\.?\/[^']+)\.ts'/g, "'$1.js'")
}
