// Our own source, parsed: what the architecture tests read.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync, visitorKeys } from 'oxc-parser'
import type { Comment, EcmaScriptModule, Node, Program } from 'oxc-parser'

export const PROJECT_ROOT = new URL('../../', import.meta.url)

/** One parsed file; `path` is relative to the folder it was read from, with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly module: EcmaScriptModule
  readonly comments: readonly Comment[]
}

/** A rule that a file breaks. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly message: string
}

export function parseSource(path: string, text: string): SourceFile {
  const { program, module, comments, errors } = parseSync(path, text, { sourceType: 'module', preserveParens: false })
  const [error] = errors
  if (error !== undefined) throw new Error(`${path}: ${error.message}${error.codeframe ?? ''}`)
  return { path, text, program, module, comments }
}

/** Every TypeScript file below a folder of the project, parsed, sorted by path; ambient declarations hold no code and are left out. */
export function readSources(folder: string): SourceFile[] {
  const base = new URL(`${folder}/`, PROJECT_ROOT)
  const paths = readdirSync(base, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
  return paths.map((path) => parseSource(path, readFileSync(fileURLToPath(new URL(path, base)), 'utf8')))
}

export function lineOf(file: SourceFile, position: number): number {
  let line = 1
  for (let at = file.text.indexOf('\n'); at >= 0 && at < position; at = file.text.indexOf('\n', at + 1)) line++
  return line
}

export function violation(file: SourceFile, position: number, message: string): Violation {
  return { path: file.path, line: lineOf(file, position), message }
}

/** One line a violation, for a readable failure. */
export function listed(violations: readonly Violation[]): string[] {
  return violations.map(({ path, line, message }) => `${path}:${line} ${message}`)
}

/** Visits a node and all below it in source order; `visit` returns false to leave out what is below. */
export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => boolean | undefined): void {
  const parents: Node[] = []
  const step = (at: Node): void => {
    if (visit(at, parents) === false) return
    parents.push(at)
    for (const key of visitorKeys[at.type] ?? []) {
      const child = (at as unknown as Record<string, Node | readonly (Node | null)[] | null | undefined>)[key]
      if (Array.isArray(child)) {
        for (const one of child as readonly (Node | null)[]) if (one !== null) step(one)
      } else if (child !== null && child !== undefined) {
        step(child as Node)
      }
    }
    parents.pop()
  }
  step(node)
}
