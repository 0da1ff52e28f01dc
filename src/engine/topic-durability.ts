// A topic can be kept only where there is a place for it.

import { MillraceError } from '../errors.ts'
import type { CreateTopicCommand } from '../metadata/controller-commands.ts'

/** Throws INVALID_CONFIG for a topic that asks for files where none can be. */
export function checkDurability({ name, config }: CreateTopicCommand, hasDataDir: boolean): void {
  const durability = config['millrace.durability'] ?? 'memory'
  if (hasDataDir || durability === 'memory') return
  const message = `topic "${name}" asks for millrace.durability '${durability}', which needs files: give openMillrace a dataDir`
  throw new MillraceError('INVALID_CONFIG', message)
}
