// Markdown of one exported name: its signature, docstring, members, options.

import type { Class, ClassElement, MethodDefinition, Node, PropertyDefinition, TSInterfaceDeclaration, TSSignature } from 'oxc-parser'
import type { SourceFile } from '../architecture/source-file.ts'
import { optionsTable } from './config-tables.ts'
import { tableText } from './markdown-table.ts'
import { docBefore } from './exported-names.ts'
import type { ExportedName } from './exported-names.ts'

/** Public to other files of the package, but not meant for users. */
const NOT_FOR_USERS: ReadonlySet<string> = new Set(['ConsumerBatch.expire', 'RecordCursor.reset', 'RecordCursor.withControl'])

/** Types whose members stand on the page of configs. */
const ON_CONFIG_PAGE: Readonly<Record<string, string>> = {
  TopicConfig: 'topic-configs',
  TopicConfigOptions: 'topic-configs',
  BrokerConfig: 'broker-configs',
  BrokerConfigOptions: 'broker-configs',
}

interface Member {
  readonly name: string
  readonly kind: 'property' | 'method'
  readonly signature: string
  readonly doc: string
}

export function referenceText(exported: ExportedName, errors: ReadonlySet<string>): string {
  const { name, file, declarations, doc } = exported
  const [declaration] = declarations as readonly [Node]
  const out = [`## ${name}`, linked(doc, errors)]
  const anchor = ON_CONFIG_PAGE[name]
  if (anchor !== undefined) return [...out, `Its names stand on the page of [configs](configs.md#${anchor}).`].join('\n\n')
  switch (declaration.type) {
    case 'ClassDeclaration':
    case 'TSInterfaceDeclaration': {
      const head = textBetween(file, declaration.start, declaration.body.start)
      if (head !== `class ${name}` && head !== `interface ${name}`) out.push(fence(head))
      out.push(...membersText(name, membersOf(name, file, declaration), errors))
      break
    }
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      out.push(fence(declarations.map((each) => functionSignature(file, each)).join('\n')))
      break
    default: {
      const table = optionsTable(name)
      out.push(table ?? fence(textBetween(file, declaration.start, declaration.end)))
    }
  }
  return out.filter((part) => part !== '').join('\n\n')
}

function functionSignature(file: SourceFile, node: Node): string {
  const { body } = node as { body?: Node | null }
  return textBetween(file, node.start, body === undefined || body === null ? node.end : body.start).replace(/^async /, '')
}

function membersText(owner: string, members: readonly Member[], errors: ReadonlySet<string>): string[] {
  const shown = members.filter(({ name }) => !NOT_FOR_USERS.has(`${owner}.${name}`))
  const out: string[] = []
  const properties = shown.filter(({ kind }) => kind === 'property')
  if (properties.length > 0) {
    const rows = properties.map(({ name, signature, doc }) => [`\`${name}\``, `\`${signature}\``, linked(doc, errors)])
    out.push(tableText(['property', 'type', ''], rows))
  }
  const methods = new Map<string, Member[]>()
  for (const member of shown) {
    if (member.kind === 'method') methods.set(member.name, [...(methods.get(member.name) ?? []), member])
  }
  for (const [name, overloads] of methods) {
    const doc = overloads.map((each) => each.doc).find((each) => each !== '') ?? ''
    out.push(`### ${owner}: ${name}`, linked(doc, errors), fence(overloads.map(({ signature }) => signature).join('\n')))
  }
  return out
}

function membersOf(name: string, file: SourceFile, node: Class | TSInterfaceDeclaration): Member[] {
  return node.type === 'TSInterfaceDeclaration' ? interfaceMembers(name, file, node.body.body) : classMembers(name, file, node.body.body)
}

function interfaceMembers(owner: string, file: SourceFile, signatures: readonly TSSignature[]): Member[] {
  return signatures.flatMap((node): Member[] => {
    const doc = docBefore(file, node.start)
    if (node.type === 'TSPropertySignature') {
      const name = keyText(file, node.key, node.computed)
      const type = node.typeAnnotation === null ? 'unknown' : textBetween(file, node.typeAnnotation.typeAnnotation.start, node.end)
      return [{ name: `${name}${node.optional ? '?' : ''}`, kind: 'property', signature: type.replace(/;$/, ''), doc }]
    }
    if (node.type !== 'TSMethodSignature') return []
    const name = keyText(file, node.key, node.computed)
    return [{ name, kind: 'method', signature: textBetween(file, node.start, node.end), doc: doc === '' ? wellKnown(owner, name) : doc }]
  })
}

function classMembers(owner: string, file: SourceFile, elements: readonly ClassElement[]): Member[] {
  // What stands behind overloads is for the compiler.
  const isOverload = (node: ClassElement): boolean => 'value' in node && node.value?.type === 'TSEmptyBodyFunctionExpression'
  const overloaded = new Set(elements.filter(isOverload).map((node) => ('key' in node ? keyText(file, node.key, node.computed) : '')))
  return elements.flatMap((node): Member[] => {
    if (node.type !== 'PropertyDefinition' && node.type !== 'MethodDefinition') return []
    const isHidden = node.key.type === 'PrivateIdentifier' || node.accessibility === 'private' || node.static
    // of computed names, only Symbol's own are for users
    if (isHidden || (node.computed && node.key.type !== 'MemberExpression')) return []
    const name = keyText(file, node.key, node.computed)
    const doc = docBefore(file, node.start)
    if (node.type === 'MethodDefinition' && node.value.body !== null && overloaded.has(name)) return []
    if (node.type === 'MethodDefinition') return methodMember(owner, name, doc, file, node as MethodDefinition)
    const annotation = (node as PropertyDefinition).typeAnnotation
    const signature =
      annotation === null || annotation === undefined ? literalType((node as PropertyDefinition).value) : annotationText(file, annotation)
    return [{ name, kind: 'property', signature, doc }]
  })
}

function methodMember(owner: string, name: string, doc: string, file: SourceFile, node: MethodDefinition): Member[] {
  if (node.kind === 'constructor' || node.kind === 'set') return []
  const { body, returnType } = node.value
  if (node.kind === 'get') {
    return [
      {
        name,
        kind: 'property',
        signature: returnType === null || returnType === undefined ? 'unknown' : annotationText(file, returnType),
        doc,
      },
    ]
  }
  const end = body === null || body === undefined ? node.end : body.start
  const signature = textBetween(file, node.start, end).replace(/^(override |async )+/, '')
  return [{ name, kind: 'method', signature, doc: doc === '' ? wellKnown(owner, name) : doc }]
}

function annotationText(file: SourceFile, annotation: { readonly typeAnnotation: Node }): string {
  return textBetween(file, annotation.typeAnnotation.start, annotation.typeAnnotation.end)
}

/** The type of a field that begins as a literal. */
function literalType(value: Node | null): string {
  if (value?.type === 'UnaryExpression') return literalType(value.argument)
  return value?.type === 'Literal' ? typeof value.value : 'unknown'
}

function wellKnown(owner: string, name: string): string {
  if (name === '[Symbol.asyncDispose]') return `The same as \`close()\`, for \`await using\`.`
  if (name === '[Symbol.iterator]') return `\`for (const … of …)\` over a ${owner}.`
  return ''
}

function keyText(file: SourceFile, key: Node, computed: boolean): string {
  const text = file.text.slice(key.start, key.end)
  return computed ? `[${text}]` : text.replaceAll(/^'|'$/g, '')
}

/** Source text without its indentation and the space at its end. */
function textBetween(file: SourceFile, start: number, end: number): string {
  const lineStart = file.text.lastIndexOf('\n', start) + 1
  const indent = /^ */.exec(file.text.slice(lineStart))![0]
  return file.text.slice(start, end).replaceAll(`\n${indent}`, '\n').trimEnd()
}

function fence(code: string): string {
  return `\`\`\`ts signature\n${code}\n\`\`\``
}

/** Error codes outside of code become links to their page. */
export function linked(doc: string, errors: ReadonlySet<string>): string {
  return doc
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith('`') ? part : part.replaceAll(/\b[A-Z][A-Z_]+[A-Z]\b/g, (word) => (errors.has(word) ? `[${word}](errors.md)` : word)),
    )
    .join('')
}
