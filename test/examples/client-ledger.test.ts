import { describe, expect, it } from 'vitest'
import type { LedgerPart, LedgerTotals } from '../../examples/user-activity/client-ledger.ts'
import { addTotals, ClientLedger, EMPTY_TOTALS, sameTotals } from '../../examples/user-activity/client-ledger.ts'
import type { UserActivity } from '../../examples/user-activity/topics.ts'

type Entry = [client: string, timestampMs: number, activity: UserActivity]

const VISIT = { user: null, method: 'GET', path: '/', protocol: 'HTTP/1.1', status: 200, bytes: 10, referrer: null, agent: 'x' }

/** Ten lines of three clients, numbered by a producer. */
function produced(): { entries: Entry[]; totals: LedgerTotals } {
  const ledger = new ClientLedger()
  const entries: Entry[] = []
  for (let at = 0; at < 10; at++) {
    const client = `10.0.0.${at % 3}`
    const activity = { ...VISIT, path: `/${at}`, sequence: ledger.nextSequence(client) }
    ledger.add(client, 1_431_857_103_000 + at, activity)
    entries.push([client, 1_431_857_103_000 + at, activity])
  }
  return { entries, totals: ledger.totals() }
}

function consumed(entries: readonly Entry[]): LedgerTotals {
  const ledger = new ClientLedger()
  for (const entry of entries) ledger.add(...entry)
  return ledger.totals()
}

function swapped(entries: readonly Entry[], a: number, b: number): Entry[] {
  return entries.map((entry, at) => (at === a ? entries[b]! : at === b ? entries[a]! : entry))
}

describe('ClientLedger', () => {
  const { entries, totals } = produced()

  it('agrees when every line arrives once, in order within its client', () => {
    expect(totals).toMatchObject({ records: 10, clients: 3, missing: 0, repeated: 0 })
    expect(consumed(entries)).toEqual(totals)
    expect(sameTotals(totals, consumed(entries))).toBe(true)
  })

  it('does not mind in which order clients come, nor on which thread', () => {
    expect(consumed(entries.toSorted(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)))).toEqual(totals)
    const threads = [0, 1, 2].map((client) => consumed(entries.filter(([name]) => name === `10.0.0.${client}`)))
    expect(threads.reduce(addTotals, EMPTY_TOTALS)).toEqual(totals)
  })

  it.each<[string, Entry[]]>([
    ['one in the middle is lost', entries.toSpliced(3, 1)],
    ['the last is lost', entries.slice(0, -1)],
    ['one is doubled', [...entries.slice(0, 5), entries[4]!, ...entries.slice(5)]],
    ['two of a client are swapped', swapped(entries, 0, 3)],
    ['the path is changed', entries.toSpliced(2, 1, [entries[2]![0], entries[2]![1], { ...entries[2]![2], path: '/x' }])],
    ['a number is changed', entries.toSpliced(2, 1, [entries[2]![0], entries[2]![1], { ...entries[2]![2], bytes: 11 }])],
    ['null becomes text', entries.toSpliced(2, 1, [entries[2]![0], entries[2]![1], { ...entries[2]![2], user: '' }])],
    ['the time is changed', entries.toSpliced(2, 1, [entries[2]![0], 0, entries[2]![2]])],
    ['one goes to another client', entries.toSpliced(9, 1, ['10.0.0.1', entries[9]![1], entries[9]![2]])],
  ])('disagrees when %s', (_, changed) => {
    expect(sameTotals(totals, consumed(changed))).toBe(false)
  })

  it('tells what is missing from what is doubled', () => {
    expect(consumed(entries.toSpliced(0, 1))).toMatchObject({ missing: 1, repeated: 0 })
    expect(consumed([...entries, ...entries.slice(0, 2)])).toMatchObject({ missing: 0, repeated: 2 })
  })

  it('adds up from parts, and sees what is missing or doubled between them', () => {
    const part = (from: number, to: number) => {
      const ledger = new ClientLedger()
      for (const entry of entries.slice(from, to)) ledger.add(...entry)
      return ledger.part()
    }
    const whole = (...parts: LedgerPart[]) => {
      const ledger = new ClientLedger()
      for (const each of parts) ledger.addPart(each)
      return ledger.totals()
    }
    expect(whole(part(0, 4), part(4, 5), part(5, 10))).toEqual(totals)
    expect(whole(part(0, 4), part(5, 10))).toMatchObject({ missing: 1, repeated: 0 })
    expect(whole(part(0, 4), part(3, 4), part(4, 10))).toMatchObject({ missing: 0, repeated: 1 })
    expect(sameTotals(totals, whole(part(0, 4), part(4, 9)))).toBe(false)
    expect(sameTotals(totals, whole(part(4, 10), part(0, 4)))).toBe(false)
  })
})
