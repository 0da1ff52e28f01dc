import { expect, test } from 'vitest'
import { CountedWindows } from './counted-windows.ts'
import { runWindowsRound } from './windows-round.ts'

const SEED = 716

test('three threads of a group agree on every count, each of which comes once', async () => {
  const { windows, clicks, again, late, faults } = await runWindowsRound({ seed: SEED, kills: 0 })
  expect(faults).toEqual([])
  expect({ again, late }).toEqual({ again: 0, late: 0 })
  expect([windows, clicks > 300]).toEqual([6, true])
})

test(`threads that are killed at random count what was sent (seed ${SEED})`, async () => {
  const { kills, bit, faults } = await runWindowsRound({ seed: SEED, kills: 8 })
  expect(faults).toEqual([])
  expect(kills).toBe(8)
  expect(bit).toBeGreaterThan(0)
})

test('a chain that forgets where its records came from is found out', async () => {
  const { faults } = await runWindowsRound({ seed: SEED, kills: 60, forgetsOrigins: true })
  expect(faults.join('\n')).toMatch(/page-\d+ in window \d+: counted \d+, sent \d+/)
})

test('the checker: a wrong count, one of nothing, one that is missing, and one that came again', () => {
  const checker = new CountedWindows()
  checker.expect(
    3,
    new Map([
      ['a', 2],
      ['b', 1],
    ]),
  ) // prettier-ignore
  checker.counted(3, 'a', 2)
  checker.counted(3, 'a', 2)
  expect([checker.again, checker.faults, checker.isWhole(3), checker.missing]).toEqual([1, [], false, ['b in window 3']])
  checker.counted(3, 'b', 2)
  checker.counted(4, 'b', 1)
  expect(checker.faults).toEqual(['b in window 3: counted 2, sent 1', 'b in window 4: counted 1, sent nothing'])
  expect([checker.isWhole(3), checker.isWhole(-1), checker.isWhole(4)]).toEqual([true, true, false])
})
