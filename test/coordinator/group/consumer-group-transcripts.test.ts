// Conversations in `transcripts`, each as it was told before. MILLRACE_REWRITE=1 writes them anew.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { retold } from './consumer-group-transcript.ts'

const FOLDER = new URL('transcripts/', import.meta.url)

for (const name of readdirSync(FOLDER)) {
  test(name, () => {
    const file = new URL(name, FOLDER)
    const text = readFileSync(file, 'utf8')
    const told = retold(text)
    if (process.env['MILLRACE_REWRITE'] === '1') writeFileSync(file, told)
    else expect(told).toBe(text)
    expect(told.match(/^ {2}<- /gm)?.length).toBeGreaterThan(5)
  })
}
