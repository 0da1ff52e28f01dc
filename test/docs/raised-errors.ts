// The error codes that the sources name: each is one that a user may meet.

import { ERROR_SENTENCES } from './error-sentences.ts'
import type { ErrorName } from '../../src/errors.ts'
import { KAFKA_ERRORS } from '../../src/errors.ts'
import { walk } from '../architecture/source-file.ts'
import type { SourceFile } from '../architecture/source-file.ts'

/** Codes of Kafka's table and ours, sorted; `files` are all sources. */
export function raisedErrors(files: readonly SourceFile[]): ErrorName[] {
  const known = new Set<string>([...Object.keys(KAFKA_ERRORS), ...ownErrorNames(files)])
  const found = new Set<string>()
  for (const { path, program } of files) {
    // the tables of the wire name codes that nobody raises
    if (path === 'errors.ts' || path.startsWith('protocol/')) continue
    walk(program, (node) => {
      if (node.type === 'Literal' && typeof node.value === 'string' && known.has(node.value)) found.add(node.value)
      if (node.type === 'MemberExpression' && !node.computed && node.object.type === 'Identifier' && node.object.name === 'KAFKA_ERRORS') {
        found.add((node.property as { name: string }).name)
      }
      return undefined
    })
  }
  found.delete('NONE')
  return [...found].sort() as ErrorName[]
}

function ownErrorNames(files: readonly SourceFile[]): string[] {
  const { text } = files.find(({ path }) => path === 'errors.ts')!
  const union = /export type OwnErrorName =\n((?: {2}\|.*\n)+)/.exec(text)
  if (union === null) throw new Error('errors.ts has no union OwnErrorName')
  return [...union[1]!.matchAll(/\| '([A-Z_]+)'/g)].map(([, name]) => name!)
}

/** Raised codes that nothing is said about. */
export function unsaidErrors(files: readonly SourceFile[]): ErrorName[] {
  return raisedErrors(files).filter((name) => ERROR_SENTENCES[name] === undefined)
}
