// The argument of shared-log-reader.ts and the protocols around it, in every order of
// steps; and each of their rules left out, to see that it is needed.

import { describe, expect, test } from 'vitest'
import { explore } from '../lane/step-explorer.ts'
import { replacedExtentModel, soughtExtentModel } from './compaction-model.ts'
import { nextExtentModel, returnModel, reuseModel, waiterModel } from './generation-model.ts'
import type { ReuseRules } from './generation-model.ts'

const RULES: ReuseRules = { check: 'read-modify-write', rests: true, oddMeansLive: true }

describe('an extent that is freed and used again under a reader', () => {
  test('the reader never hands out bytes of another extent', () => {
    const found = explore(reuseModel(RULES))
    expect(found.violation).toBeUndefined()
    expect(found.states).toBeGreaterThan(100)
    expect(found.ends).toBeGreaterThan(1)
  })

  test.each([
    ['the check is left out', { check: 'none' }],
    ['the check is a load, which may be done before the copy', { check: 'load' }],
    ['the extent does not rest until its generation is seen', { rests: false }],
    ['the generation does not tell a live extent from a free one', { oddMeansLive: false }],
  ] as const)('not so when %s', (_, left) => {
    const found = explore(reuseModel({ ...RULES, ...left }))
    expect(found.violation).toBe('the reader handed out words of another extent')
    expect(found.way.length).toBeGreaterThan(3)
  })
})

describe('going on to the next extent', () => {
  test('nothing is left out when the reader looks back at the extent that it leaves', () => {
    const found = explore(nextExtentModel({ looksBack: true }))
    expect(found.violation).toBeUndefined()
    expect(found.states).toBeGreaterThan(15)
  })

  test('not so when it does not', () => {
    expect(explore(nextExtentModel({ looksBack: false })).violation).toContain('left out')
  })
})

describe('an extent that compaction replaces under a reader', () => {
  test('going on to it, nothing is left out when the reader looks back whether it still is the next one', () => {
    const found = explore(replacedExtentModel({ looksBack: true }))
    expect(found.violation).toBeUndefined()
    expect(found.states).toBeGreaterThan(15)
  })

  test('not so when it does not', () => {
    expect(explore(replacedExtentModel({ looksBack: false })).violation).toContain('left out')
  })

  test('looking for an offset in it, the reader finds it when it looks where the next one begins', () => {
    const found = explore(soughtExtentModel({ looksAtBase: true }))
    expect(found.violation).toBeUndefined()
    expect(found.states).toBeGreaterThan(15)
  })

  test('not so when it does not look', () => {
    expect(explore(soughtExtentModel({ looksAtBase: false })).violation).toContain('for damage')
  })
})

describe('waiting for the watermark', () => {
  const rules = { armsFirst: true, bitFirst: true, looksAgain: true, summaryTakenFirst: true }

  test('nobody sleeps through it', () => {
    const found = explore(waiterModel(rules))
    expect(found.violation).toBeUndefined()
    expect(found.ends).toBeGreaterThan(1)
  })

  test.each([
    ['the reader arms its bell only after it said that it waits', { armsFirst: false }],
    ['the reader does not look once more', { looksAgain: false }],
    ['the reader sets its summary bit before its own', { bitFirst: false }],
    ['the leader takes the bits before the summary', { summaryTakenFirst: false }],
  ] as const)('not so when %s', (_, left) => {
    expect(explore(waiterModel({ ...rules, ...left })).violation).toContain('sleeps')
  })
})

describe('an extent that comes back while its block changes hands', () => {
  const rules = { marksFirst: true, countResetFirst: true }

  test('is collected, once', () => {
    const found = explore(returnModel(rules))
    expect(found.violation).toBeUndefined()
    expect(found.states).toBeGreaterThan(50)
  })

  test.each([
    ['it is counted before it is marked', { marksFirst: false }],
    ['the new owner looks at the rows before it resets the count', { countResetFirst: false }],
  ] as const)('not so when %s', (_, left) => {
    expect(explore(returnModel({ ...rules, ...left })).violation).toContain('never collected')
  })
})
