// The pages of src/docs are what the sources say.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Admin, Consumer, Producer } from '../../src/index.ts'
import { PROJECT_ROOT, readSources } from '../architecture/source-file.ts'
import { DOCS, allExports, pageOf, readPages, regenerated, regionKeys } from './generate-docs.ts'
import { raisedErrors, unsaidErrors } from './raised-errors.ts'

const pages = readPages()

test.each(pages)('$name is up to date: node test/docs/generate-docs.ts --write', ({ text }) => {
  expect(regenerated(text)).toBe(text)
})

test('every public name is on one page', () => {
  const keys = pages.flatMap(({ text }) => regionKeys(text)).filter((key) => key.startsWith('reference '))
  expect(new Set(keys).size).toBe(keys.length)
  const wanted = new Set(allExports().map((exported) => `reference ${pageOf(exported)}`))
  expect([...wanted].filter((key) => !keys.includes(key))).toEqual([])
  for (const exported of allExports()) {
    const page = pages.find(({ name }) => name === `${pageOf(exported)}.md`)
    expect(page?.text, exported.name).toContain(`\n## ${exported.name}\n`)
  }
})

test('every method and property that the pages show says what it is', () => {
  const hollow = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/^### (.+)\n\n```/gm)].map(([, heading]) => `${name}: ${heading} has no docstring`),
  )
  expect(hollow).toEqual([])
})

test('every error code that the sources name has its sentences', () => {
  const sources = readSources('src')
  expect(unsaidErrors(sources)).toEqual([])
  expect(raisedErrors(sources).length).toBeGreaterThan(30)
})

describe('coming from kafkajs', () => {
  const { text } = pages.find(({ name }) => name === 'coming-from-kafkajs.md')!
  const [head, , ...others] = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .replaceAll(String.raw`\|`, '/')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  const cells = others.filter((row) => row.length === head!.length).map((row) => row[head!.indexOf('millrace')]!)

  test('every call in our column is there', () => {
    const objects = { producer: Producer.prototype, consumer: Consumer.prototype, admin: Admin.prototype }
    const calls = cells.flatMap((cell) => [...cell.matchAll(/\b(producer|consumer|admin)\.(\w+)\(/g)])
    expect(calls.length).toBeGreaterThan(15)
    const missing = calls.filter(([, object, method]) => !(method! in objects[object as keyof typeof objects]))
    expect(missing.map(([call]) => call)).toEqual([])
  })
})

describe('links', () => {
  const readme = { name: '../../README.md', text: readFileSync(new URL('README.md', PROJECT_ROOT), 'utf8') }

  test.each([...pages, readme])('of $name lead somewhere', ({ name, text }) => {
    const base = new URL(name, DOCS)
    const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !leadsSomewhere(base, target))
    expect(broken).toEqual([])
  })

  test('README.md leads to every page', () => {
    const index = pages.find((page) => page.name === 'README.md')!
    for (const { name } of pages) if (name !== 'README.md') expect(index.text).toContain(`](${name})`)
    expect(readme.text).toContain('](src/docs/README.md)')
  })

  function leadsSomewhere(base: URL, target: string): boolean {
    const url = new URL(target, base)
    const file = new URL(url.pathname, url)
    if (!existsSync(file)) return false
    if (url.hash === '') return true
    const anchors = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
    return anchors.includes(url.hash.slice(1))
  }

  function anchorOf(heading: string): string {
    return heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
  }
})
