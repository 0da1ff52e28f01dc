// `millrace` as examples import it: the same names, but what an example has opened and
// not closed is closed when it has ended, so that one child process can run them all.

import { openMillrace as open } from '../../src/index.ts'
import type { EmbeddedMillrace } from '../../src/index.ts'

export * from '../../src/index.ts'

const opened = new Set<EmbeddedMillrace>()

export const openMillrace: typeof open = async (...given) => {
  const millrace = await open(...given)
  opened.add(millrace)
  return millrace
}

/** Ends what the last example has left open. */
export async function closeOpened(): Promise<void> {
  const left = [...opened]
  opened.clear()
  for (const millrace of left) await millrace.close({ timeoutMs: 1_000 })
}
