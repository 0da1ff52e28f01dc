// Runs once before the suite: says which Node.js runs it, and refuses to run on
// another one than MILLRACE_EXPECT_NODE asks for (a major version, as `.ci/run` sets it).
// Makes the folder of what its files bundle (bundled-entry.ts), and removes it at the end.

import { rmSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { BUNDLES_VARIABLE, makeBundlesFolder } from './bundled-entry.ts'
import { runtimeRefusal } from './expected-runtime.ts'

export function setup(project: TestProject): () => void {
  console.log(`Node.js ${process.version} (${process.platform} ${process.arch})`)
  const refusal = runtimeRefusal(process.version, process.env['MILLRACE_EXPECT_NODE'])
  if (refusal !== undefined) throw new Error(refusal)
  const makeFolder = (): string => (process.env[BUNDLES_VARIABLE] = makeBundlesFolder())
  const remove = (): void => rmSync(process.env[BUNDLES_VARIABLE]!, { recursive: true, force: true })
  makeFolder()
  // In watch mode the sources may be others by then.
  project.onTestsRerun(() => {
    remove()
    makeFolder()
  })
  return remove
}
