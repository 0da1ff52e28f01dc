// Runs once before the suite: says which Node.js runs it, and refuses to run on
// another one than MILLRACE_EXPECT_NODE asks for (a major version, as `.ci/run` sets it).

import { runtimeRefusal } from './expected-runtime.ts'

export function setup(): void {
  console.log(`Node.js ${process.version} (${process.platform} ${process.arch})`)
  const refusal = runtimeRefusal(process.version, process.env['MILLRACE_EXPECT_NODE'])
  if (refusal !== undefined) throw new Error(refusal)
}
