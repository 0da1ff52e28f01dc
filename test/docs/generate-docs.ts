// Writes the generated regions of src/docs from the sources and their tables:
//
//   node test/docs/generate-docs.ts --write
//
// A page is written by hand, but for what stands between `<!-- generated: … -->` and
// `<!-- /generated -->`. A test holds that the pages equal what this makes.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { KAFKA_ERRORS, isRetriable } from '../../src/errors.ts'
import { PROJECT_ROOT, readSources } from '../architecture/source-file.ts'
import { brokerAnswersTable, configsTable, foreignOptionsTable, optionsTable } from './config-tables.ts'
import { ERROR_SENTENCES } from './error-sentences.ts'
import { exportedDeclarations } from './exported-names.ts'
import type { ExportedName } from './exported-names.ts'
import { raisedErrors } from './raised-errors.ts'
import { tableText } from './markdown-table.ts'
import { referenceText } from './reference-text.ts'

export const DOCS = new URL('src/docs/', PROJECT_ROOT)

/** The page that a name's reference stands on, by the file that declares it; the first that fits. */
const PAGES: readonly [page: string, paths: RegExp][] = [
  ['rxjs', /^rx\//],
  ['testing', /^testing/],
  ['streams', /^streams\//],
  ['errors', /^errors\.ts$/],
  ['producer', /^client\/(producer\/|headers\.ts)/],
  ['consumer', /^(client\/consumer\/|record\/)/],
  ['admin', /^client\/admin/],
  ['topics', /^(client\/(topic|serde|msgpack|standard-schema)|config\/topic)/],
  ['millrace', /./],
]

const sources = readSources('src')
const raised = raisedErrors(sources)
const errorNames: ReadonlySet<string> = new Set(raised)

export function pageOf({ name, file }: ExportedName): string {
  // read from records, although headers are written too
  if (name === 'RecordHeaders') return 'consumer'
  return PAGES.find(([, paths]) => paths.test(file.path))![0]
}

export function allExports(): ExportedName[] {
  return ['index.ts', 'rxjs.ts', 'streams.ts', 'testing.ts'].flatMap((entry) => exportedDeclarations(sources, entry))
}

/** The text of a region by its key: "reference producer", "topic configs", "errors" … */
export function regionText(key: string): string {
  const [kind, argument = ''] = key.split(' ')
  switch (key) {
    case 'topic configs':
      return configsTable('topic')
    case 'broker configs':
      return configsTable('broker')
    case 'accepted broker configs':
      return brokerAnswersTable('accepted')
    case 'refused broker configs':
      return brokerAnswersTable('refused')
    case 'foreign options':
      return foreignOptionsTable()
    case 'errors':
      return errorsTable()
  }
  if (kind === 'options') {
    const table = optionsTable(argument)
    if (table !== undefined) return table
  }
  if (kind === 'reference') {
    const names = allExports().filter((exported) => pageOf(exported) === argument)
    if (names.length > 0) return names.map((exported) => referenceText(exported, errorNames)).join('\n\n')
  }
  throw new Error(`nothing is generated under "${key}"`)
}

function errorsTable(): string {
  const rows = raised.map((name) => {
    const sentence = ERROR_SENTENCES[name]
    if (sentence === undefined) throw new Error(`${name} is raised, and test/docs/error-sentences.ts says nothing about it`)
    const number = Object.hasOwn(KAFKA_ERRORS, name) ? String(KAFKA_ERRORS[name as keyof typeof KAFKA_ERRORS]) : 'ours'
    return [`\`${name}\``, number, isRetriable(name) ? 'yes' : 'no', sentence.when, sentence.remedy]
  })
  return tableText(['code', "Kafka's number", 'retriable', 'when', 'what to do'], rows)
}

const REGION = /(<!-- generated: (.+?) -->\n)[\s\S]*?(<!-- \/generated -->)/g

/** A page with its generated regions made anew. */
export function regenerated(page: string): string {
  return page.replaceAll(REGION, (_, start: string, key: string, end: string) => `${start}\n${regionText(key)}\n\n${end}`)
}

/** The keys of a page's regions. */
export function regionKeys(page: string): string[] {
  return [...page.matchAll(REGION)].map(([, , key]) => key!)
}

export function readPages(): { name: string; text: string }[] {
  const names = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
  return names.sort().map((name) => ({ name, text: readFileSync(new URL(name, DOCS), 'utf8') }))
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) {
  for (const { name, text } of readPages()) writeFileSync(new URL(name, DOCS), regenerated(text))
}
