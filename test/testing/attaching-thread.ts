// A thread that attaches to the millrace of its handle, and says what came of it.

import { parentPort, workerData } from 'node:worker_threads'
import { attachMillrace } from '../../src/index.ts'
import type { MillraceHandle } from '../../src/index.ts'

try {
  const millrace = await attachMillrace(workerData as MillraceHandle)
  await millrace.close()
  parentPort!.postMessage('attached')
} catch (error) {
  parentPort!.postMessage({ code: (error as { code?: string }).code, message: (error as Error).message })
}
