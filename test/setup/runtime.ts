// Runs once before the suite (of both projects, the first one does it all): says which Node.js
// runs it, and refuses to run on another one than MILLRACE_EXPECT_NODE asks for (a major
// version, as `.ci/run` sets it). Makes the folder of what its files bundle (bundled-entry.ts)
// and of what V8 compiled of them, for all processes and threads; removes it at the end.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { BUNDLES_VARIABLE, makeBundlesFolder } from './bundled-entry.ts'
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
  const remove = (): void => removeFolder(process.env[BUNDLES_VARIABLE]!)
  makeFolder()
  // In watch mode the sources may be others by then.
  project.vitest.onTestsRerun(() => {
    remove()
    makeFolder()
  })
  return remove
}

/** A process that just ends may still write what V8 compiled for it: what it leaves in a temporary folder fails no suite. */
function removeFolder(folder: string): void {
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
