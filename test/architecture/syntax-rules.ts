// Syntax that the sources do without: what Node.js cannot strip, what Node.js 22
// cannot parse, and what hides a name or a type.

import { violation, walk } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'
import type { Node } from 'oxc-parser'

/** What `mapInPool` is given: it runs the default export. */
const POOL_MODULES: ReadonlySet<string> = new Set(['rx/operators/square-worker.ts', 'pool/sum-worker.ts', 'pool/work-and-sum-worker.ts'])

export function syntaxViolations(file: SourceFile): Violation[] {
  const found: Violation[] = []
  walk(file.program, (node) => {
    const isPoolModule = node.type === 'ExportDefaultDeclaration' && POOL_MODULES.has(file.path)
    const message = isPoolModule ? undefined : refusal(node)
    if (message !== undefined) found.push(violation(file, node.start, message))
    return undefined
  })
  for (const comment of file.comments) {
    if (/@ts-(ignore|nocheck)\b/.test(comment.value))
      found.push(violation(file, comment.start, 'silences the type checker: say what is expected'))
  }
  return found
}

function refusal(node: Node): string | undefined {
  switch (node.type) {
    case 'VariableDeclaration':
      return node.kind === 'using' || node.kind === 'await using' ? `declares with \`${node.kind}\`: Node.js 22 cannot parse it` : undefined
    case 'TSEnumDeclaration':
      return 'an enum is not erasable: use a union or an object'
    case 'TSModuleDeclaration':
      return 'a namespace is not erasable'
    case 'TSParameterProperty':
      return 'a parameter property is not erasable'
    case 'TSImportEqualsDeclaration':
    case 'TSExportAssignment':
      return 'CommonJS imports and exports are not erasable'
    case 'TSTypeAssertion':
      return 'a cast in angle brackets is not erasable: use `as`'
    case 'ExportDefaultDeclaration':
      return 'a default export has no name: export by name'
    case 'TSAnyKeyword':
      return '`any` turns the checker off: use `unknown`'
    case 'Decorator':
      return 'a decorator is not erasable'
    case 'Literal':
      // Modifiers such as (?i:…) came with V8 12.5, after Node.js 22.
      return 'regex' in node && /\(\?[a-z]*-?[a-z]*:/.test(node.regex.pattern.replaceAll('(?:', ''))
        ? 'regular expression modifiers: Node.js 22 cannot parse them'
        : undefined
    case 'ExportSpecifier':
      return node.exported.type === 'Identifier' && node.exported.name === 'default'
        ? 'a default export has no name: export by name'
        : undefined
    default:
      return undefined
  }
}
