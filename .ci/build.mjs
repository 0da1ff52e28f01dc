// Builds the package: declarations by the type checker, and JavaScript bundled into one
// file an entry with shared chunks. A broker thread then loads three files instead of
// fifty, which is most of the time it takes to start.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseSync } from 'oxc-parser'
import { rolldown } from 'rolldown'

// Another folder may be named, for tests.
const dist = process.argv[2] ?? 'dist'
rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', dist], { stdio: 'inherit' })
pruneDeclarations(['index.d.ts', 'rxjs.d.ts', 'broker/worker-main.d.ts'])

const bundle = await rolldown({
  input: { index: 'src/index.ts', rxjs: 'src/rxjs.ts', 'worker-main': 'src/broker/worker-main.ts' },
  external: [/^node:/, 'comlink', /^comlink\//, '@msgpack/msgpack', '@platformatic/wasm-utils', 'pino', 'piscina', 'rxjs'],
  platform: 'node',
})
// Comments are for who reads the sources, in the repository: a user's package does without them.
const comments = { annotation: true, jsdoc: false, legal: false }
await bundle.write({ dir: dist, format: 'esm', sourcemap: true, comments, chunkFileNames: '[name]-[hash].js' })
await bundle.close()
for (const name of readdirSync(dist)) if (name.endsWith('.js.map')) stripSourceComments(`${dist}/${name}`)

/** Takes away the declarations that no entry leads to: two thirds of them, which nobody could import. */
function pruneDeclarations(entries) {
  const reached = new Set()
  const pending = [...entries]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path) || !existsSync(`${dist}/${path}`)) continue
    reached.add(path)
    for (const [, from] of readFileSync(`${dist}/${path}`, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]+)['"]/g))
      pending.push(posix.join(posix.dirname(path), from).replace(/\.[jt]s$/, '.d.ts'))
  }
  for (const path of readdirSync(dist, { recursive: true })) {
    const declarations = path.replaceAll('\\', '/')
    if (declarations.endsWith('.d.ts') && !reached.has(declarations)) rmSync(`${dist}/${path}`)
  }
}

/** Takes the comments out of the sources that a map carries, and moves no line and no column of code. */
function stripSourceComments(path) {
  const map = JSON.parse(readFileSync(path, 'utf8'))
  map.sourcesContent = map.sourcesContent.map((text, i) => {
    let code = text
    for (const { start, end } of parseSync(map.sources[i], text).comments.toReversed()) {
      const isLast = /^[ \t]*(\n|$)/.test(code.slice(end))
      code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, isLast ? '' : ' ') + code.slice(end)
    }
    return code
  })
  writeFileSync(path, JSON.stringify(map))
}
