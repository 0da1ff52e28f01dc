import { describe, expect, test } from 'vitest'
import { hopping, session, sliding, tumbling } from '../../../src/rx/windows/windows.ts'
import { results, run } from './run-windows.ts'

describe('time windows', () => {
  const windows = tumbling({ sizeMs: 10, graceMs: 5 })

  test('a window begins with its start and ends before its end', () => {
    expect(
      results(
        run(windows, [
          ['a', 0],
          ['a', 9],
          ['a', 10],
          ['a', 19],
          ['a', 20],
        ]),
      ),
    ).toEqual(['a 0-10: 1 2@9', 'a 10-20: 3 4@19', 'a 20-30: 5@20']) // prettier-ignore
  })

  test('windows begin at the epoch, not at the first record', () => {
    expect(results(run(windows, [['a', 1_700_000_000_007]]))).toEqual(['a 1700000000000-1700000000010: 1@1700000000007'])
  })

  test('a hopping window: a record is in each window that covers its time', () => {
    const { updates } = run(hopping({ sizeMs: 10, advanceMs: 4, graceMs: 0 }), [
      ['a', 9],
      ['a', 12],
    ]) // prettier-ignore
    expect(updates).toEqual([
      ['a 0-10: 1@9', 'a 4-14: 1@9', 'a 8-18: 1@9'],
      ['a 4-14: 1 2@12', 'a 8-18: 1 2@12', 'a 12-22: 2@12'],
    ])
  })

  test('no window begins before the epoch', () => {
    expect(run(hopping({ sizeMs: 10, advanceMs: 4, graceMs: 0 }), [['a', 2]]).updates).toEqual([['a 0-10: 1@2']])
  })

  test('a record out of order updates the window of its time', () => {
    expect(
      results(
        run(windows, [
          ['a', 5],
          ['a', 12],
          ['a', 7],
          ['a', 13],
        ]),
      ),
    ).toEqual(['a 0-10: 1 3@7', 'a 10-20: 2 4@13']) // prettier-ignore
  })

  test('the time of a result is the highest of its records', () => {
    expect(
      results(
        run(windows, [
          ['a', 7],
          ['a', 3],
        ]),
      ),
    ).toEqual(['a 0-10: 1 2@7'])
  })

  test('stream time never goes back', () => {
    const { closes, late } = run(windows, [
      ['a', 3],
      ['a', 15],
      ['a', 1],
      ['a', 14],
      ['a', 9],
    ]) // prettier-ignore
    expect(closes).toEqual([[], ['a 0-10: 1@3'], [], [], []])
    expect(late).toEqual([3, 5])
  })

  test('grace keeps a window open, and not a millisecond longer', () => {
    expect(
      run(windows, [
        ['a', 3],
        ['a', 14],
        ['a', 9],
      ]),
    ).toMatchObject({ late: [], closes: [[], [], []] }) // prettier-ignore
    expect(
      run(windows, [
        ['a', 3],
        ['a', 15],
        ['a', 9],
      ]),
    ).toMatchObject({ late: [3], closes: [[], ['a 0-10: 1@3'], []] }) // prettier-ignore
  })

  test('without grace a window closes with the first record at its end', () => {
    const { closes, late } = run(tumbling({ sizeMs: 10, graceMs: 0 }), [
      ['a', 9],
      ['b', 10],
      ['a', 9],
    ]) // prettier-ignore
    expect(closes).toEqual([[], ['a 0-10: 1@9'], []])
    expect(late).toEqual([3])
  })

  test('a late record changes nothing', () => {
    expect(
      results(
        run(windows, [
          ['a', 3],
          ['a', 20],
          ['a', 4],
          ['b', 4],
        ]),
      ),
    ).toEqual(['a 0-10: 1@3', 'a 20-30: 2@20']) // prettier-ignore
  })

  test('a record is late only when all its windows have closed', () => {
    const ran = run(hopping({ sizeMs: 10, advanceMs: 5, graceMs: 0 }), [
      ['a', 6],
      ['a', 12],
      ['a', 7],
    ]) // prettier-ignore
    expect(ran.late).toEqual([])
    expect(ran.updates[2]).toEqual(['a 5-15: 1 2 3@12'])
    expect(ran.closes.flat()).toEqual(['a 0-10: 1@6'])
  })

  test('one key moves stream time for all keys', () => {
    expect(
      run(windows, [
        ['a', 3],
        ['b', 15],
      ]).closes,
    ).toEqual([[], ['a 0-10: 1@3']]) // prettier-ignore
  })

  test('windows close in the order of their ends, however they were opened', () => {
    const given = [
      ['a', 25],
      ['a', 12],
      ['b', 12],
      ['a', 3],
      ['b', 60],
    ] as const // prettier-ignore
    const graceful = tumbling({ sizeMs: 10, graceMs: 30 })
    expect(run(graceful, given).closes.flat()).toEqual(['a 0-10: 4@3', 'a 10-20: 2@12', 'b 10-20: 3@12', 'a 20-30: 1@25'])
  })

  test('each window closes once', () => {
    const given = Array.from({ length: 200 }, (_, at) => [`k${at % 3}`, Math.floor(at / 2)] as const)
    const ends = results(run(windows, given)).map((one) => one.split(':')[0])
    expect(new Set(ends).size).toBe(ends.length)
    expect(ends).toHaveLength(30)
  })
})

describe('sliding windows', () => {
  const windows = sliding({ timeDifferenceMs: 10, graceMs: 50 })

  test('a window ends with each record, and one begins behind it that is not empty', () => {
    expect(
      results(
        run(windows, [
          ['a', 20],
          ['a', 25],
          ['a', 31],
        ]),
      ),
    ).toEqual(['a 10-20: 1@20', 'a 15-25: 1 2@25', 'a 21-31: 2 3@31', 'a 26-36: 3@31']) // prettier-ignore
  })

  test('both ends belong to the window', () => {
    expect(
      results(
        run(windows, [
          ['a', 20],
          ['a', 30],
        ]),
      ),
    ).toEqual(['a 10-20: 1@20', 'a 20-30: 1 2@30', 'a 21-31: 2@30']) // prettier-ignore
    expect(
      results(
        run(windows, [
          ['a', 20],
          ['a', 31],
        ]),
      ),
    ).toEqual(['a 10-20: 1@20', 'a 21-31: 2@31']) // prettier-ignore
  })

  test('a record before another one makes the windows between them', () => {
    expect(
      run(windows, [
        ['a', 30],
        ['a', 24],
      ]).updates[1],
    ).toEqual(['a 20-30: 1 2@30', 'a 14-24: 2@24', 'a 25-35: 1@30']) // prettier-ignore
  })

  test('records of one time are in the same windows', () => {
    expect(
      results(
        run(windows, [
          ['a', 20],
          ['a', 20],
        ]),
      ),
    ).toEqual(['a 10-20: 1 2@20']) // prettier-ignore
  })

  test('windows that would begin before the epoch are one', () => {
    expect(
      results(
        run(windows, [
          ['a', 3],
          ['a', 8],
        ]),
      ),
    ).toEqual(['a 0-10: 1 2@8', 'a 4-14: 2@8']) // prettier-ignore
  })

  test('a record is late when the window that begins with it has closed', () => {
    const graceful = sliding({ timeDifferenceMs: 10, graceMs: 5 })
    expect(
      run(graceful, [
        ['b', 35],
        ['a', 20],
      ]).late,
    ).toEqual([]) // prettier-ignore
    expect(
      run(graceful, [
        ['b', 36],
        ['a', 20],
      ]).late,
    ).toEqual([2]) // prettier-ignore
  })

  test('without grace a window has its last record', () => {
    const { closes } = run(sliding({ timeDifferenceMs: 10, graceMs: 0 }), [
      ['a', 20],
      ['b', 20],
      ['b', 21],
    ]) // prettier-ignore
    expect(closes).toEqual([[], [], ['a 10-20: 1@20', 'b 10-20: 2@20']])
  })
})

describe('sessions', () => {
  const windows = session({ inactivityGapMs: 10, graceMs: 0 })

  test('records within the gap are one session, the gap included', () => {
    expect(
      results(
        run(windows, [
          ['a', 5],
          ['a', 15],
          ['a', 26],
        ]),
      ),
    ).toEqual(['a 5-15: 1 2@15', 'a 26-26: 3@26']) // prettier-ignore
  })

  test('a record before a session makes it begin earlier', () => {
    expect(
      results(
        run(windows, [
          ['a', 20],
          ['a', 12],
        ]),
      ),
    ).toEqual(['a 12-20: 1 2@20']) // prettier-ignore
  })

  test('a record between two sessions makes them one, the earlier first', () => {
    const ran = run(session({ inactivityGapMs: 10, graceMs: 20 }), [
      ['a', 30],
      ['a', 12],
      ['a', 21],
    ]) // prettier-ignore
    expect(results(ran)).toEqual(['a 12-30: 2 1 3@30'])
    expect(ran.replaced[2]).toEqual(['a 12-12', 'a 30-30'])
  })

  test('a session that grows replaces the one that it was', () => {
    const ran = run(windows, [
      ['a', 5],
      ['a', 9],
      ['a', 7],
    ]) // prettier-ignore
    expect(ran.updates).toEqual([['a 5-5: 1@5'], ['a 5-9: 1 2@9'], ['a 5-9: 1 2 3@9']])
    expect(ran.replaced).toEqual([[], ['a 5-5'], []])
  })

  test('a session closes when no record can reach it any more', () => {
    expect(
      run(windows, [
        ['a', 5],
        ['b', 15],
      ]).closes,
    ).toEqual([[], []]) // prettier-ignore
    expect(
      run(windows, [
        ['a', 5],
        ['b', 16],
      ]).closes,
    ).toEqual([[], ['a 5-5: 1@5']]) // prettier-ignore
    expect(
      run(session({ inactivityGapMs: 10, graceMs: 5 }), [
        ['a', 5],
        ['b', 20],
      ]).closes,
    ).toEqual([[], []]) // prettier-ignore
  })

  test('a record whose own session would have closed is late', () => {
    expect(
      run(windows, [
        ['b', 16],
        ['a', 5],
      ]),
    ).toMatchObject({ late: [2] }) // prettier-ignore
  })

  test('a record that reaches an open session is not late', () => {
    const ran = run(windows, [
      ['a', 14],
      ['b', 20],
      ['a', 6],
    ]) // prettier-ignore
    expect(ran.late).toEqual([])
    expect(
      run(windows, [
        ['a', 14],
        ['b', 20],
        ['a', 9],
        ['b', 24],
        ['a', 4],
      ]).late,
    ).toEqual([]) // prettier-ignore
    expect(results(ran)).toContain('a 6-14: 1 3@14')
  })

  test('keys have sessions of their own', () => {
    expect(
      results(
        run(windows, [
          ['a', 5],
          ['b', 6],
          ['a', 7],
        ]),
      ),
    ).toEqual(['b 6-6: 2@6', 'a 5-7: 1 3@7']) // prettier-ignore
  })
})
