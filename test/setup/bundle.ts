// Bundles one file with all that it imports, except packages, into one: `bundle.ts FROM TO`.

import { isAbsolute } from 'node:path'
import { rolldown } from 'rolldown'

const [, , from, to] = process.argv as unknown as [string, string, string, string]

const bundle = await rolldown({
  input: from,
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  // Whatever package.json says: a test's hook is imported for what it does.
  treeshake: { moduleSideEffects: () => true },
})
// One file: what several share would run before what is imported ahead of it.
await bundle.write({ file: to, format: 'esm', codeSplitting: false })
await bundle.close()
