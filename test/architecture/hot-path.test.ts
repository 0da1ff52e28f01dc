import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chainFaults, listedStations, marksOf, STATIONS } from './hot-path.ts'
import { reachable } from './imports.ts'
import { PROJECT_ROOT, parseSource, readSources } from './source-file.ts'

describe('src', () => {
  const sources = readSources('src')
  const marks = marksOf(sources)

  test('the road is whole: each station is marked once', () => {
    expect(chainFaults(marks)).toEqual([])
  })

  test('src/README.md lists the stations in the files that hold them', () => {
    const stations = listedStations(readFileSync(new URL('src/README.md', PROJECT_ROOT), 'utf8'))
    expect(marks.map(({ path }) => path)).toEqual(stations)
    expect(stations).toHaveLength(STATIONS)
  })

  // Stations 1 to 3 run on the producer's thread, 4 to 6 on the broker's, 7 and 8 on the consumer's.
  test.each([
    [1, 2],
    [1, 3],
    [8, 7],
  ])('station %i leads to station %i', (from, to) => {
    const [caller, called] = [marks.find(({ station }) => station === from), marks.find(({ station }) => station === to)]
    expect([...reachable(sources, caller!.path)]).toContain(called!.path)
  })
})

describe('the rules bite', () => {
  const whole = Array.from({ length: STATIONS }, (_, at) => parseSource(`log/s${at + 1}.ts`, `// hot path ${at + 1}/${STATIONS}: station`))

  test('a whole chain has no fault', () => {
    expect(chainFaults(marksOf(whole))).toEqual([])
  })

  test('a missing station', () => {
    expect(chainFaults(marksOf(whole.slice(1)))).toEqual(['station 1 is not marked'])
  })

  test('a station marked twice', () => {
    expect(chainFaults(marksOf([...whole, parseSource('log/again.ts', '\n/** hot path 5/8 */')]))).toEqual([
      'station 5 is marked more than once: log/s5.ts:1 (5/8), log/again.ts:2 (5/8)',
    ])
  })

  test('a station that does not exist', () => {
    expect(
      chainFaults(marksOf([...whole, parseSource('log/x.ts', '// hot path 9/8'), parseSource('log/y.ts', '// hot path 3/9')])),
    ).toHaveLength(2)
  })

  test('only comments count', () => {
    expect(marksOf([parseSource('log/x.ts', "const text = 'hot path 1/8'")])).toEqual([])
  })

  test('the list in the map', () => {
    const readme =
      '# src\n\n1. `not/this.ts`\n\n## The road of a record\n\n1. **producer**: `client/producer.ts` packs `x.ts`\n2. `src/record/builder.ts`\n\nText.\n\n## After\n\n3. `not/this.ts`\n'
    expect(listedStations(readme)).toEqual(['client/producer.ts', 'record/builder.ts'])
    expect(listedStations('# src\n\n## The road\n1. `a/b.ts`')).toEqual(['a/b.ts'])
    expect(listedStations('# src')).toEqual([])
  })
})
