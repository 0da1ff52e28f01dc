// The short form of overload.ts, with producers on threads of their own.

import { expect, test } from 'vitest'
import { OVERLOAD, overload, overloadLine, overloadProblems, slope } from './overload.ts'

test('producers at full speed, one consumer stands still, one is slow: nothing grows, all is accounted for', async () => {
  const options = { ...OVERLOAD, runMs: 4_000 }
  const result = await overload(options)
  console.log(overloadLine(result, options))
  expect(overloadProblems(result, options)).toEqual([])
}, 120_000)

test('what must not be is seen', () => {
  const options = { ...OVERLOAD, runMs: 60_000 }
  const resident = Array.from({ length: 100 }, (_, i) => 200 + (i % 3))
  const good = {
    offered: 1e6,
    appended: 1e6,
    trimmed: 9e5,
    slowRead: 1e5,
    slowMissed: 9e5,
    slowPosition: 1e6,
    stoppedRead: 10,
    residentBefore: 80,
    resident,
  }
  expect(overloadProblems({ ...good, timerLateMsMax: 0 }, options)).toEqual([])
  for (const bad of [
    { appended: 999_999 },
    { slowRead: 99_999 },
    { slowMissed: 0, slowPosition: 1e5 },
    { stoppedRead: 0 },
    { resident: resident.map((mebibytes, i) => mebibytes + i) },
    { resident: resident.map((mebibytes) => mebibytes + 400) },
    { offered: 1_000, appended: 1_000 },
  ]) {
    expect(overloadProblems({ ...good, timerLateMsMax: 0, ...bad }, options)).toHaveLength(1)
  }
  expect(slope([1, 3, 5, 7])).toBe(2)
})
