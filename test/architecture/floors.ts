// The floors of the house (src/README.md draws them): an import goes to a lower
// floor or stays in its own folder; never up, never sideways. `import type` counts.
// A change of the cut is made here and in src/README.md together.

import { importsOf } from './imports.ts'
import { violation } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'

/** Folders of src, and files that stand in src itself; a floor-0 file may import another. */
export const FLOORS: ReadonlyMap<string, number> = new Map([
  ['index.ts', 12],
  ['rxjs.ts', 12],
  ['testing.ts', 12],
  ['testing', 11],
  ['streams.ts', 12],
  ['rx', 10],
  ['streams', 10],
  ['client', 9],
  ['engine', 8],
  ['broker', 7],
  ['io', 6],
  ['coordinator', 6],
  ['metadata', 5],
  ['partition', 4],
  ['storage', 3],
  ['log', 2],
  ['actor', 2],
  ['record', 1],
  ['lane', 1],
  ['protocol', 1],
  ['config', 1],
  ['disk', 1],
  ['ids.ts', 0],
  ['assert.ts', 0],
  ['clock.ts', 0],
  ['errors.ts', 0],
  ['random.ts', 0],
  ['kill-points.ts', 0],
  ['bells.ts', 0],
  ['config-def.ts', 0],
  ['counters.ts', 0],
])

/** What a path belongs to: its first folder, or the file itself where it stands in src. */
export function roomOf(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? path : path.slice(0, slash)
}

export function floorViolations(files: readonly SourceFile[]): Violation[] {
  const found: Violation[] = []
  for (const file of files) {
    const room = roomOf(file.path)
    const floor = FLOORS.get(room)
    if (floor === undefined) {
      found.push(violation(file, 0, `"${room}" has no floor: give it one in src/README.md and in test/architecture/floors.ts`))
      continue
    }
    for (const { specifier, path, position } of importsOf(file)) {
      if (path === undefined) continue
      const target = roomOf(path)
      if (target === room) continue
      const below = FLOORS.get(target)
      if (below === undefined) found.push(violation(file, position, `imports "${specifier}", which has no floor`))
      else if (below > floor) found.push(violation(file, position, `floor ${floor} imports "${specifier}" up on floor ${below}`))
      else if (below === floor && floor > 0) found.push(violation(file, position, `imports "${specifier}" sideways on floor ${floor}`))
    }
  }
  return found
}
