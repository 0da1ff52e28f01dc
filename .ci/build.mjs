// Builds the package: declarations by the type checker, and JavaScript bundled into one
// file an entry with shared chunks. A broker thread then loads three files instead of
// fifty, which is most of the time it takes to start.

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { rolldown } from 'rolldown'

// Another folder may be named, for tests.
const dist = process.argv[2] ?? 'dist'
rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', dist], { stdio: 'inherit' })

const bundle = await rolldown({
  input: { index: 'src/index.ts', rxjs: 'src/rxjs.ts', 'worker-main': 'src/broker/worker-main.ts' },
  external: [/^node:/, 'comlink', /^comlink\//, '@msgpack/msgpack', 'pino', 'piscina', 'rxjs'],
  platform: 'node',
})
await bundle.write({ dir: dist, format: 'esm', sourcemap: true, chunkFileNames: '[name]-[hash].js' })
await bundle.close()
