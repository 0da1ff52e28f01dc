// How files are cut and named.

import { lineOf, violation } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'

export const LINES_MAX = 400
export const COLUMNS_MAX = 140

const KEBAB_CASE = /^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/
const EMPTY_NAMES = /(^|[/-])(utils?|helpers?|common|misc|shared-code|stuff|lib)(?=[/.-]|$)/

export function layoutViolations(file: SourceFile): Violation[] {
  const found: Violation[] = []
  const lines = file.text.split('\n')
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (count > LINES_MAX) found.push(violation(file, 0, `has ${count} lines, more than ${LINES_MAX}: it is more than one thing`))
  // The formatter breaks long code, but leaves comments as they are.
  for (const comment of file.comments) {
    for (let line = lineOf(file, comment.start); line <= lineOf(file, comment.end); line++) {
      const columns = lines[line - 1]!.length
      if (columns > COLUMNS_MAX)
        found.push({ path: file.path, line, message: `has a comment of ${columns} columns, more than ${COLUMNS_MAX}` })
    }
  }
  if (!KEBAB_CASE.test(file.path)) found.push(violation(file, 0, 'is not named in kebab-case'))
  if (EMPTY_NAMES.test(file.path)) found.push(violation(file, 0, 'has a name that says nothing: name it after what it is'))
  const [header] = file.comments
  if (header === undefined || file.text.slice(0, header.start).trim() !== '') {
    found.push(violation(file, 0, 'begins with no comment that says what it is'))
  }
  return found
}
