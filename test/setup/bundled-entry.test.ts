import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { BUNDLES_VARIABLE, bundledEntry, startedByName } from './bundled-entry.ts'

test('a thread’s file comes in one piece, with what is imported for what it does ahead of the rest, and once for a suite', async () => {
  const source = new URL('../faults/faulty-broker.ts', import.meta.url)
  const entry = await bundledEntry(source)
  const code = readFileSync(entry, 'utf8')
  expect(code).not.toMatch(/from ['"]\./)
  const hook = code.indexOf('killPoints.hook = ')
  expect(hook).toBeGreaterThan(0)
  expect(hook).toBeLessThan(code.indexOf('new BrokerActor('))
  expect(dirname(fileURLToPath(entry))).toBe(process.env[BUNDLES_VARIABLE])
  expect((await bundledEntry(source)).href).toBe(entry.href)
})

test('what a thread starts by name lies beside its file', async () => {
  const entry = await bundledEntry(new URL('../faults/faulty-broker.ts', import.meta.url))
  const names = startedByName().map((path) => basename(path, '.ts'))
  expect(names).toEqual(expect.arrayContaining(['worker-main', 'cleaner-worker', 'recovery-worker', 'compression-worker']))
  for (const name of names) expect(existsSync(new URL(`./${name}.js`, entry)), name).toBe(true)
})

test('two that ask at the same time get the same', async () => {
  const source = new URL('../lane/dying-thread.ts', import.meta.url)
  const [one, other] = await Promise.all([bundledEntry(source), bundledEntry(source)])
  expect(one.href).toBe(other.href)
  expect(existsSync(one)).toBe(true)
})
