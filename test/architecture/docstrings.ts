// Every name that the package exports says what it is where it is declared.

import { posix } from 'node:path'
import { violation } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'
import type { Node, Program } from 'oxc-parser'

type Statement = Program['body'][number]

/** Exported names of an entry file that have no docstring, or a hollow one, at their declaration. */
export function undocumentedExports(files: readonly SourceFile[], entry: string): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const start = byPath.get(entry)
  if (start === undefined) return []
  return exportedNames(byPath, start, new Set()).flatMap((name) => {
    const found = declarationOf(byPath, start, name, new Set())
    if (found === 'elsewhere') return []
    if (found === undefined) return [violation(start, 0, `exports "${name}", whose declaration cannot be found`)]
    const doc = docstringOf(found.file, found.statement)
    return doc.replaceAll(/[\s*]/g, '').length >= 12
      ? []
      : [violation(found.file, found.statement.start, `exports "${name}" without a docstring`)]
  })
}

/** The names that a file exports, through `export *` too. */
export function exportedNames(byPath: ReadonlyMap<string, SourceFile>, file: SourceFile, seen: Set<string>): string[] {
  if (seen.has(file.path)) return []
  seen.add(file.path)
  return file.program.body.flatMap((statement) => {
    if (statement.type === 'ExportNamedDeclaration') {
      return statement.declaration === null
        ? statement.specifiers.map(({ exported }) => nameOf(exported))
        : declaredNames(statement.declaration)
    }
    if (statement.type !== 'ExportAllDeclaration') return []
    if (statement.exported !== null) return [nameOf(statement.exported)]
    const target = targetOf(byPath, file, statement.source.value)
    return target === undefined ? [] : exportedNames(byPath, target, seen)
  })
}

/** Where a name is declared. */
export interface Declaration {
  readonly file: SourceFile
  /** The statement that the docstring stands before. */
  readonly statement: Statement
}

/** The declaration of a name that a file exports, through other files too; 'elsewhere' in a package. */
export function declarationOf(
  byPath: ReadonlyMap<string, SourceFile>,
  file: SourceFile,
  name: string,
  seen: Set<string>,
): Declaration | 'elsewhere' | undefined {
  if (seen.has(`${file.path} ${name}`)) return undefined
  seen.add(`${file.path} ${name}`)
  const follow = (source: string, imported: string): Declaration | 'elsewhere' | undefined => {
    const target = targetOf(byPath, file, source)
    return target === undefined ? 'elsewhere' : declarationOf(byPath, target, imported, seen)
  }
  for (const statement of file.program.body) {
    if (statement.type === 'ExportNamedDeclaration' && statement.declaration !== null) {
      if (declaredNames(statement.declaration).includes(name)) return { file, statement }
    } else if (statement.type === 'ExportNamedDeclaration') {
      const specifier = statement.specifiers.find(({ exported }) => nameOf(exported) === name)
      if (specifier !== undefined) {
        const local = nameOf(specifier.local)
        return statement.source === null ? localDeclaration(byPath, file, local, seen) : follow(statement.source.value, local)
      }
    }
  }
  for (const statement of file.program.body) {
    if (statement.type !== 'ExportAllDeclaration') continue
    if (statement.exported !== null && nameOf(statement.exported) === name) return { file, statement }
    const found = statement.exported === null ? follow(statement.source.value, name) : undefined
    if (found !== undefined && found !== 'elsewhere') return found
  }
  return undefined
}

// `export { x }` of something declared or imported above.
function localDeclaration(
  byPath: ReadonlyMap<string, SourceFile>,
  file: SourceFile,
  name: string,
  seen: Set<string>,
): Declaration | 'elsewhere' | undefined {
  for (const statement of file.program.body) {
    if (statement.type === 'ImportDeclaration') {
      const specifier = statement.specifiers.find(({ local }) => local.name === name)
      if (specifier === undefined) continue
      const target = targetOf(byPath, file, statement.source.value)
      if (target === undefined) return 'elsewhere'
      return specifier.type === 'ImportSpecifier' ? declarationOf(byPath, target, nameOf(specifier.imported), seen) : undefined
    }
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declared !== null && declaredNames(declared).includes(name)) return { file, statement }
  }
  return undefined
}

function declaredNames(node: Node): string[] {
  switch (node.type) {
    case 'VariableDeclaration':
      return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'ClassDeclaration':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return node.id === null ? [] : [node.id.name]
    default:
      return []
  }
}

function nameOf(node: { type: string; name?: unknown; value?: unknown }): string {
  return String(node.type === 'Literal' ? node.value : node.name)
}

function targetOf(byPath: ReadonlyMap<string, SourceFile>, file: SourceFile, source: string): SourceFile | undefined {
  return source.startsWith('.') ? byPath.get(posix.join(posix.dirname(file.path), source)) : undefined
}

/** The text of the doc comment that ends right before the statement. */
export function docstringOf(file: SourceFile, statement: Statement): string {
  const before = file.comments.filter((comment) => comment.end <= statement.start).at(-1)
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return ''
  return file.text.slice(before.end, statement.start).trim() === '' ? before.value : ''
}
