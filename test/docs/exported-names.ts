// What an entry file of the package exports, with its declarations and docstrings.

import { declarationOf, docstringOf, exportedNames } from '../architecture/docstrings.ts'
import type { SourceFile } from '../architecture/source-file.ts'
import type { Node } from 'oxc-parser'

export interface ExportedName {
  readonly name: string
  readonly file: SourceFile
  /** All overloads of a function, else one. */
  readonly declarations: readonly Node[]
  /** Where each declaration's statement starts, `export` included. */
  readonly starts: readonly number[]
  readonly doc: string
}

/** In the order in which the entry file names them. */
export function exportedDeclarations(files: readonly SourceFile[], entry: string): ExportedName[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const start = byPath.get(entry)
  if (start === undefined) throw new Error(`there is no src/${entry}`)
  return exportedNames(byPath, start, new Set()).map((name) => {
    const found = declarationOf(byPath, start, name, new Set())
    if (found === undefined || found === 'elsewhere') throw new Error(`src/${entry} exports ${name}, whose declaration cannot be found`)
    const { file, statement } = found
    const declaration = declaredBy(statement)
    const declared = idOf(declaration)
    const all = file.program.body.filter((each) => idOf(declaredBy(each)) === declared)
    const overloads = all.filter((each) => declaredBy(each).type === 'TSDeclareFunction')
    const statements = overloads.length > 0 ? overloads : [statement]
    return {
      name,
      file,
      declarations: statements.map(declaredBy),
      starts: statements.map((each) => each.start),
      doc: plainDoc(docstringOf(file, statements[0]!)),
    }
  })
}

function declaredBy(statement: Node): Node {
  return statement.type === 'ExportNamedDeclaration' && statement.declaration !== null ? statement.declaration : statement
}

function idOf(node: Node): string | undefined {
  if (node.type === 'VariableDeclaration') {
    const [first] = node.declarations
    return first?.id.type === 'Identifier' ? first.id.name : undefined
  }
  const id = (node as { id?: { name?: string } | null }).id
  return id?.name
}

/** The text of a doc comment, its lines joined but those of code; a blank line between paragraphs. */
export function plainDoc(comment: string): string {
  const text = comment
    .replace(/^\*/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
  return text
    .split(/^(```ts\n[\s\S]*?^```)$/m)
    .map((part) => (part.startsWith('```ts') ? part.replace('```ts', '```ts signature') : joinedLines(part)))
    .filter((part) => part !== '')
    .join('\n\n')
}

function joinedLines(text: string): string {
  const paragraphs = text.trim().split(/\n{2,}/)
  return paragraphs
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.trim())
        .join(' '),
    )
    .join('\n\n')
}

/** The doc comment that ends right before a position. */
export function docBefore(file: SourceFile, position: number): string {
  const before = file.comments.filter((comment) => comment.end <= position).at(-1)
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return ''
  return file.text.slice(before.end, position).trim() === '' ? plainDoc(before.value) : ''
}
