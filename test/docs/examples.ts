// The examples of the pages: every block of TypeScript in README.md and src/docs, each as
// a file of its own for the type checker and for Node.
//
// After ```ts a block may say: `signature`, it is no example; `no-run`, it is only checked;
// `continued`, it goes on where the block before it ended. What an example takes for granted
// stands before it in a comment that readers do not see: `<!-- given: const topic = … -->`.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PROJECT_ROOT } from '../architecture/source-file.ts'
import { DOCS, readPages } from './generate-docs.ts'

export interface Example {
  /** Where it stands: "src/docs/producer.md:12". */
  readonly at: string
  /** Name of its file. */
  readonly file: string
  /** Its code, every line at the number that it has on the page. */
  readonly code: string
  readonly runs: boolean
}

const BLOCK = /(?:<!-- given: (?<given>[\s\S]*?) -->\n+)?^```ts(?<words>[^\n]*)\n(?<code>[\s\S]*?)^```$/gm
const WORDS: ReadonlySet<string> = new Set(['signature', 'no-run', 'continued'])

interface Block {
  readonly line: number
  readonly words: readonly string[]
  readonly given: string
  readonly code: string
}

/** The examples of one page. */
export function examplesOf(path: string, text: string): Example[] {
  const chains: Block[][] = []
  for (const block of blocksOf(path, text)) {
    if (block.words.includes('signature')) continue
    const before = chains.at(-1)
    if (!block.words.includes('continued')) chains.push([block])
    else if (before === undefined) throw new Error(`${path}:${block.line} goes on where no block ended`)
    else before.push(block)
  }
  return chains.map((chain) => {
    const [first] = chain as [Block]
    const file = `${path.replaceAll(/[^A-Za-z0-9]+/g, '-').replace(/-md$/, '')}-${first.line}.mts`
    const runs = chain.every(({ words }) => !words.includes('no-run'))
    return { at: `${path}:${first.line}`, file, code: chainCode(chain), runs }
  })
}

function blocksOf(path: string, text: string): Block[] {
  return [...text.matchAll(BLOCK)].map((match) => {
    const { given = '', words = '', code = '' } = match.groups as { given?: string; words?: string; code?: string }
    const codeStart = match.index + match[0].lastIndexOf(`\`\`\`ts${words}\n`)
    const line = text.slice(0, codeStart).split('\n').length + 1
    const all = words.trim().split(/\s+/).filter(Boolean)
    const unknown = all.find((word) => !WORDS.has(word))
    if (unknown !== undefined) throw new Error(`${path}:${line - 1} says "${unknown}", which means nothing: signature, no-run or continued`)
    return { line, words: all, given: given.trim(), code }
  })
}

/** Blocks on their own lines; what is given in one line, above the first block or between. */
function chainCode(chain: readonly Block[]): string {
  const lines: string[] = ['export {}']
  for (const { line, given, code } of chain) {
    while (lines.length < line - 1) lines.push('')
    if (given !== '') lines[lines.length - 1] += `; ${given.replaceAll('\n', ' ')}`
    lines.push(...code.trimEnd().split('\n'))
  }
  return `${lines.join('\n')}\n`
}

/** Every example there is. */
export function allExamples(): Example[] {
  const readme = readFileSync(new URL('README.md', PROJECT_ROOT), 'utf8')
  const pages = readPages().map(({ name, text }) => ({ path: `${DOCS.href.slice(PROJECT_ROOT.href.length)}${name}`, text }))
  return [{ path: 'README.md', text: readme }, ...pages].flatMap(({ path, text }) => examplesOf(path, text))
}

/** Writes examples into a folder from which the type checker and Node find what they import; gives the type checker's project. */
export function writeExamples(folder: string, examples: readonly Example[]): string {
  const root = fileURLToPath(PROJECT_ROOT)
  mkdirSync(folder, { recursive: true })
  symlinkSync(`${root}node_modules`, `${folder}/node_modules`, 'dir')
  for (const { file, code } of examples) writeFileSync(`${folder}/${file}`, code)
  const project = {
    extends: `${root}tsconfig.json`,
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      paths: {
        millrace: [`${root}src/index.ts`],
        'millrace/rxjs': [`${root}src/rxjs.ts`],
        'millrace/streams': [`${root}src/streams.ts`],
        'millrace/testing': [`${root}src/testing.ts`],
      },
    },
    include: ['*.mts', `${root}src/**/*.d.ts`],
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(project))
  return `${folder}/tsconfig.json`
}
