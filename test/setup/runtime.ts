// Runs once before the suite (of both projects, the first one does it all): says which Node.js
// runs it, and refuses to run on another one than MILLRACE_EXPECT_NODE asks for (a major
// version, as `.ci/run` sets it). Makes the folder of what its files bundle (bundled-entry.ts)
// and of what V8 compiled of them, for all processes and threads; removes it at the end.

import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { BUNDLES_VARIABLE, makeBundlesFolder, removeBundlesFolder } from './bundled-entry.ts'
import { runtimeRefusal } from './expected-runtime.ts'

export function setup(project: TestProject): (() => void) | undefined {
  if (process.env[BUNDLES_VARIABLE] !== undefined) return undefined
  console.log(`Node.js ${process.version} (${process.platform} ${process.arch})`)
  const refusal = runtimeRefusal(process.version, process.env['MILLRACE_EXPECT_NODE'])
  if (refusal !== undefined) throw new Error(refusal)
  const makeFolder = (): void => {
    const folder = makeBundlesFolder()
    process.env[BUNDLES_VARIABLE] = folder
    process.env['NODE_COMPILE_CACHE'] = join(folder, 'compile-cache')
  }
  const remove = (): void => removeBundlesFolder(process.env[BUNDLES_VARIABLE]!)
  makeFolder()
  // In watch mode the sources may be others by then.
  project.vitest.onTestsRerun(() => {
    remove()
    makeFolder()
  })
  return remove
}
