// What only a few files may touch: clocks, chance, timers, threads, files. All else
// is handed these, so that it runs unchanged under virtual time and a seed.

import { importsOf } from './imports.ts'
import { violation, walk } from './source-file.ts'
import type { SourceFile, Violation } from './source-file.ts'
import type { Argument, Node } from 'oxc-parser'

/** A path, a folder (ending in "/"), or the end of a path (beginning with "*"). */
type Where = string

interface Forbidden {
  /** Globals, by dotted name; a name stands for what is below it too. */
  readonly names: readonly string[]
  readonly allowed: readonly Where[]
  readonly instead: string
}

// The shells: they own a thread's turn, so they may yield it.
const SHELLS: readonly Where[] = ['*-actor.ts', 'actor/', 'broker/worker-main.ts', 'client/event-loop.ts', 'testing/inline-turns.ts']

export const FORBIDDEN: readonly Forbidden[] = [
  {
    names: ['Date.now', 'Date.UTC', 'performance', 'process.hrtime', 'process.uptime', 'Temporal'],
    allowed: ['clock.ts'],
    instead: 'take a Clock',
  },
  { names: ['setTimeout'], allowed: ['clock.ts'], instead: "use a Clock's setTimer" },
  // A parked thread that must stay alive holds a handle that never does anything.
  { names: ['setInterval'], allowed: ['actor/thread-parker.ts'], instead: "use a Clock's setTimer" },
  { names: ['setImmediate', 'process.nextTick'], allowed: SHELLS, instead: 'leave the turn to the shell' },
  // What a job of the user's has gathered leaves at its end.
  { names: ['queueMicrotask'], allowed: [...SHELLS, 'client/', 'rx/'], instead: 'leave the turn to the shell' },
  { names: ['AbortSignal.timeout', 'scheduler.wait', 'scheduler.yield'], allowed: [], instead: "use a Clock's setTimer" },
  { names: ['Math.random', 'crypto'], allowed: ['random.ts'], instead: 'take a Random' },
  { names: ['Atomics.wait'], allowed: [], instead: 'ring a bell: it blocks the event loop' },
  { names: ['Atomics.waitAsync'], allowed: ['bells.ts'], instead: "use Bells.wait, the thread's one waiter" },
  { names: ['process.exit', 'process.abort'], allowed: ['broker/worker-main.ts'], instead: 'throw' },
  // Signal 0 asks whether a process is there, and does nothing to it.
  { names: ['process.kill'], allowed: ['storage/running-process.ts'], instead: 'throw' },
  { names: ['eval', 'Function', 'process.getBuiltinModule'], allowed: [], instead: 'import' },
  // A batch that is compressed, or gets its CRC, cannot wait for an import.
  { names: ['require'], allowed: ['record/codec-libraries.ts', 'record/native-crc32c.ts'], instead: 'import' },
]

/** `new Worker`, wherever the class came from. */
const THREAD_SPAWNERS: readonly Where[] = ['actor/worker-thread.ts']

/** Which built-in modules may be imported, and where. */
export const BUILT_INS: ReadonlyMap<string, readonly Where[]> = new Map<string, readonly Where[]>([
  ['node:worker_threads', ['actor/', '*-actor.ts', 'broker/', 'engine/', 'client/', 'io/', 'testing/']],
  ['node:events', ['actor/', 'broker/', 'client/', 'testing/inline-port.ts']],
  // Where the globals may be a test's own.
  ['node:timers', ['client/event-loop.ts', 'testing/inline-turns.ts']],
  ['node:fs', ['disk/file-disk.ts']],
  // Reads only, on the thread of whoever reads.
  ['node:fs/promises', ['storage/segment-files.ts']],
  ['node:os', ['actor/', 'broker/', 'engine/compression-pool.ts', 'rx/operators/map-in-pool.ts']],
  ['node:stream', ['streams/']],
  ['node:path', ['disk/', 'storage/', 'client/']],
  ['node:url', ['actor/', 'broker/']],
  ['node:module', ['record/codec-libraries.ts', 'record/native-crc32c.ts']],
  ['node:zlib', ['record/codec-libraries.ts']],
])

/** Which packages may be imported, and where. */
export const PACKAGES: ReadonlyMap<string, readonly Where[]> = new Map<string, readonly Where[]>([
  ['comlink', ['actor/']],
  ['@msgpack/msgpack', ['client/']],
  ['@platformatic/wasm-utils', ['record/codec-libraries.ts']],
  ['pino', ['broker/', 'client/']],
  ['piscina', ['actor/', 'broker/', 'rx/']],
  ['rxjs', ['rx/', 'rxjs.ts']],
])

export function isAllowed(path: string, allowed: readonly Where[]): boolean {
  return allowed.some((where) => {
    if (where.startsWith('*')) return path.endsWith(where.slice(1))
    return where.endsWith('/') ? path.startsWith(where) : path === where
  })
}

/** `Date.now` for that expression, also through globalThis or a computed name; undefined for anything else. */
export function dottedName(node: Node): string | undefined {
  if (node.type === 'Identifier') return node.name
  if (node.type !== 'MemberExpression') return undefined
  const object = dottedName(node.object)
  if (object === undefined) return undefined
  const { property } = node
  let name: string | undefined
  if (!node.computed && property.type === 'Identifier') name = property.name
  else if (node.computed && property.type === 'Literal' && typeof property.value === 'string') name = property.value
  if (name === undefined) return undefined
  return object === 'globalThis' || object === 'global' ? name : `${object}.${name}`
}

export function forbiddenCalls(file: SourceFile): Violation[] {
  const found: Violation[] = []
  walk(file.program, (node, parents) => {
    if (isTypeOnly(node)) return false
    if (node.type === 'VariableDeclarator') found.push(...aliases(file, node))
    if (node.type === 'NewExpression') found.push(...constructions(file, node))
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Date') {
      found.push(...refused(file, node.start, 'Date.now', 'Date()'))
    }
    if (node.type !== 'Identifier' && node.type !== 'MemberExpression') return undefined
    const parent = parents.at(-1)
    if (node.type === 'Identifier' && parent !== undefined && !isReference(node, parent)) return undefined
    const name = dottedName(node)
    if (name === undefined) return undefined
    found.push(...refused(file, node.start, name, name))
    return node.type === 'MemberExpression' ? false : undefined
  })
  return found
}

/** Only the entries of a table that a path may use are let through; a package's subpaths count as the package. */
export function forbiddenImports(file: SourceFile): Violation[] {
  return importsOf(file)
    .filter(({ path }) => path === undefined)
    .flatMap(({ specifier, position }) => {
      const builtIn = specifier.startsWith('node:')
      const name = builtIn ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
      const allowed = (builtIn ? BUILT_INS : PACKAGES).get(name)
      if (allowed !== undefined && isAllowed(file.path, allowed)) return []
      return [violation(file, position, `imports "${specifier}", which is not allowed here`)]
    })
}

/** Atomics.waitAsync with a timeout: V8 keeps such a waiter until it expires, and then stalls the loop. */
export function timedWaits(file: SourceFile): Violation[] {
  const found: Violation[] = []
  walk(file.program, (node) => {
    if (node.type !== 'CallExpression' || dottedName(node.callee) !== 'Atomics.waitAsync') return undefined
    const timed = node.arguments.length > 3 || node.arguments.some((argument: Argument) => argument.type === 'SpreadElement')
    if (timed) found.push(violation(file, node.start, 'Atomics.waitAsync takes no timeout: set a timer that stores and notifies the word'))
    return undefined
  })
  return found
}

function refused(file: SourceFile, position: number, name: string, shown: string): Violation[] {
  return FORBIDDEN.filter(({ names }) => names.some((one) => name === one || name.startsWith(`${one}.`)))
    .filter(({ allowed }) => !isAllowed(file.path, allowed))
    .map(({ instead }) => violation(file, position, `${shown} is not allowed here: ${instead}`))
}

// `const { now } = Date` and `const math = Math` would hide what they are used for.
function aliases(file: SourceFile, node: Extract<Node, { type: 'VariableDeclarator' }>): Violation[] {
  if (node.init === null) return []
  const name = dottedName(node.init)
  if (name === undefined || !['Date', 'Math', 'Atomics', 'process', 'globalThis', 'global'].includes(name)) return []
  return [violation(file, node.start, `gives ${name} or a part of it another name: write it out where it is used`)]
}

function constructions(file: SourceFile, node: Extract<Node, { type: 'NewExpression' }>): Violation[] {
  const name = dottedName(node.callee)
  if (name === 'Date' && node.arguments.length === 0) return refused(file, node.start, 'Date.now', 'new Date()')
  if (name !== undefined && /(^|\.)Worker$/.test(name) && !isAllowed(file.path, THREAD_SPAWNERS)) {
    return [violation(file, node.start, 'new Worker is not allowed here: take a ThreadSpawner')]
  }
  if (name === 'SharedArrayBuffer' && node.arguments.length > 1) {
    return [violation(file, node.start, 'a growable SharedArrayBuffer is 20 to 60 times slower a byte: allocate its final size')]
  }
  return []
}

function isTypeOnly(node: Node): boolean {
  return /^TS(Type(Annotation|AliasDeclaration|ParameterInstantiation|ParameterDeclaration)|InterfaceDeclaration|InterfaceHeritage|ClassImplements)$/.test(
    node.type,
  )
}

// A name that is declared, or that names a property, refers to no global.
function isReference(node: Node, parent: Node): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed
    case 'Property':
      return parent.value === node || parent.computed
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return parent.value === node || parent.computed
    case 'ImportSpecifier':
    case 'ExportSpecifier':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return false
    default:
      return true
  }
}
