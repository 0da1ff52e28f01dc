// Builds the package: declarations by the type checker, and JavaScript bundled into one
// file an entry with shared chunks. A broker thread then loads three files instead of
// fifty, which is most of the time it takes to start.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import { rolldown } from 'rolldown'

// Another folder may be named, for tests.
const dist = process.argv[2] ?? 'dist'
rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', dist], { stdio: 'inherit' })
pruneDeclarations(['index.d.ts', 'rxjs.d.ts', 'streams.d.ts', 'testing.d.ts', 'broker/worker-main.d.ts'])

const bundle = await rolldown({
  input: {
    index: 'src/index.ts',
    rxjs: 'src/rxjs.ts',
    streams: 'src/streams.ts',
    testing: 'src/testing.ts',
    'worker-main': 'src/broker/worker-main.ts',
    'cleaner-worker': 'src/storage/cleaner-worker.ts',
    'recovery-worker': 'src/storage/recovery-worker.ts',
    'compression-worker': 'src/engine/compression-worker.ts',
    'pool-map-worker': 'src/rx/operators/pool-map-worker.ts',
  },
  external: [/^node:/, 'comlink', /^comlink\//, '@msgpack/msgpack', '@platformatic/wasm-utils', 'pino', 'piscina', 'rxjs'],
  platform: 'node',
})
// Comments are for who reads the sources, in the repository: a user's package does without them.
const comments = { annotation: true, jsdoc: false, legal: false }
await bundle.write({ dir: dist, format: 'esm', sourcemap: true, comments, chunkFileNames: '[name]-[hash].js' })
await bundle.close()
for (const name of readdirSync(dist)) if (name.endsWith('.js.map')) keepLines(`${dist}/${name}`)

/**
 * Takes away the declarations that no entry leads to: two thirds of them, which nobody could import. Of those that are left, the ones
 * whose names no entry exports keep no comments: they are there for the type checker.
 */
function pruneDeclarations(entries) {
  const reached = new Set()
  const pending = [...entries]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path) || !existsSync(`${dist}/${path}`)) continue
    reached.add(path)
    pending.push(...leadsTo(path))
  }
  const shown = new Set([...entries, ...entries.flatMap(leadsTo)])
  for (const path of readdirSync(dist, { recursive: true })) {
    const declarations = path.replaceAll('\\', '/')
    if (!declarations.endsWith('.d.ts')) continue
    if (!reached.has(declarations)) rmSync(`${dist}/${path}`)
    else if (!shown.has(declarations)) writeFileSync(`${dist}/${path}`, withoutComments(readFileSync(`${dist}/${path}`, 'utf8')))
  }
}

function leadsTo(path) {
  const text = readFileSync(`${dist}/${path}`, 'utf8')
  const names = [...text.matchAll(/(?:from|import\() ?['"](\.[^'"]+)['"]/g)].map(([, from]) => from)
  return names.map((from) => posix.join(posix.dirname(path), from).replace(/\.[jt]s$/, '.d.ts'))
}

function withoutComments(text) {
  return text.replaceAll(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '').replaceAll(/^\s*\/\/.*\n/gm, '')
}

/**
 * What a map says of lines is what a stack trace needs, and a fifth of it; names are those of the sources already, and their text is
 * in the repository.
 */
function keepLines(path) {
  const { sourcesContent: _, ...map } = JSON.parse(readFileSync(path, 'utf8'))
  const mappings = encode(decode(map.mappings).map((line) => line.slice(0, 1).map((segment) => segment.slice(0, 4))))
  writeFileSync(path, JSON.stringify({ ...map, names: [], mappings }))
}
