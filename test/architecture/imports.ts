// What a file asks of others: imports of every kind, `import type` and the files of worker
// threads (`new URL('./x.ts', import.meta.url)`, `entryBeside('./x', import.meta.url)`) among them.

import { posix } from 'node:path'
import { violation, walk } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'

export interface Import {
  /** As written. */
  readonly specifier: string
  /** For a relative one, the path it names, relative to the same folder as the file's own. */
  readonly path: string | undefined
  readonly typeOnly: boolean
  /** By `import()`: not before it is asked for. */
  readonly lazy: boolean
  readonly position: number
}

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = []
  const add = (specifier: string, typeOnly: boolean, position: number, lazy = false): void => {
    const path = /^\.\.?\//.test(specifier) ? posix.join(posix.dirname(file.path), specifier) : undefined
    found.push({ specifier, path, typeOnly, lazy, position })
  }
  walk(file.program, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        add(node.source.value, node.importKind === 'type', node.start)
        break
      case 'ExportNamedDeclaration':
        if (node.source !== null) add(node.source.value, node.exportKind === 'type', node.start)
        break
      case 'ExportAllDeclaration':
        add(node.source.value, node.exportKind === 'type', node.start)
        break
      case 'ImportExpression':
        if (node.source.type === 'Literal') add(String(node.source.value), false, node.start, true)
        break
      case 'TSImportType':
        add(node.source.value, true, node.start)
        break
      case 'NewExpression': {
        const [target] = node.arguments
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL' || target?.type !== 'Literal') break
        if (typeof target.value === 'string' && /^\.\.?\/.*\.[tj]s$/.test(target.value))
          add(target.value.replace(/\.js$/, '.ts'), false, node.start)
        break
      }
      case 'CallExpression': {
        const [target] = node.arguments
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'entryBeside' || target?.type !== 'Literal') break
        add(`${String(target.value)}.ts`, false, node.start)
        break
      }
      default:
    }
    return undefined
  })
  return found
}

/** Relative imports that name no file: a wrong extension, a folder, a file outside the tree. */
export function unresolvedImports(files: readonly SourceFile[]): Violation[] {
  const known = new Set(files.map((file) => file.path))
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ path }) => path !== undefined && !known.has(path))
      .map(({ specifier, position }) => violation(file, position, `imports "${specifier}", which is no file here`)),
  )
}

/** Chains of files that import each other; each is listed once, from its first file in order of path. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const graph = importGraph(files)
  const cycles: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      cycles.push([...trail.slice(at), path].join(' → '))
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const next of graph.get(path) ?? []) visit(next)
    trail.pop()
    done.add(path)
  }
  for (const path of graph.keys()) visit(path)
  return cycles
}

/** The files that a file reaches through imports, itself among them; `edges` may leave some imports out. */
export function reachable(files: readonly SourceFile[], from: string, edges: (one: Import) => boolean = () => true): Set<string> {
  const graph = importGraph(files, edges)
  const seen = new Set<string>([from])
  for (const path of seen) for (const next of graph.get(path) ?? []) seen.add(next)
  return seen
}

function importGraph(files: readonly SourceFile[], edges: (one: Import) => boolean = () => true): Map<string, string[]> {
  const known = new Set(files.map((file) => file.path))
  return new Map(
    files.map((file) => {
      const paths = importsOf(file)
        .filter(edges)
        .flatMap(({ path }) => (path !== undefined && known.has(path) ? [path] : []))
      return [file.path, [...new Set(paths)]]
    }),
  )
}
