import { beforeAll, describe, expect, it } from 'vitest'
import { ReadTally } from '../../examples/consumer-failover/read-tally.ts'
import type { ExampleRun } from './run-example.ts'
import { runExample } from './run-example.ts'

const RUN_TIMEOUT_MS = 90_000

describe('examples/consumer-failover', () => {
  let run: ExampleRun
  let sections: string[]

  beforeAll(async () => {
    run = await runExample('consumer-failover/main.ts')
    sections = run.stdout.split(/^(?=thread \d is terminated|thread 4 joins|three static members|all of it)/m)
  }, RUN_TIMEOUT_MS)

  it('ends by itself, in plain lines, and all that it claims holds', () => {
    expect(run.stderr).toBe('')
    expect(run.stdout).not.toContain('FAILED')
    expect(run.stdout).not.toContain('\u001b')
    expect(run.code).toBe(0)
    expect(sections).toHaveLength(5)
  })

  it('shows who takes over, how soon, and from where', () => {
    const [, victim] = /^(thread \d) is terminated/.exec(sections[1]!)!
    const taken = [...sections[1]!.matchAll(/^\d +(thread \d) +(thread \d) +[\d.]+ ms +([\d,]+) +([\d,]+) +([\d,]+)$/gm)]
    expect(taken).toHaveLength(2)
    for (const [, before, after, was, from, again] of taken) {
      expect(before).toBe(victim)
      expect(after).not.toBe(victim)
      expect(Number(again)).toBeLessThanOrEqual(Number(was) - Number(from)) // it may have died with half a batch read
    }
    expect(sections[1]!.match(/^\d +(thread \d) +\1$/gm)).toHaveLength(3)
  })

  it('moves one partition to the one that joins, and none when static members are started anew', () => {
    expect(sections[2]!.match(/^\d +thread \d +thread 4 +\d+ ms$/gm)).toHaveLength(1)
    expect(sections[2]!.match(/^\d +(thread \d) +\1 +[1-9]\d*$/gm)).toHaveLength(4)
    expect(sections[3]!.match(/^\d +(static \d) +\1 +[\d,]+ ms +[\d,]+$/gm)).toHaveLength(5)
  })

  it('has missed nothing', () => {
    expect(sections[4]).toMatch(/^ {2}every line was read: 9,999 of 9,999\n {2}\d+ lines? twice, and none more often\n/m)
  })
})

describe('ReadTally', () => {
  it('knows what was read, how often, by all that hold the buffer', () => {
    const buffer = ReadTally.allocate(3, 2)
    const tally = new ReadTally(buffer, 2)
    for (const offset of [0, 1, 1]) tally.add(0, offset)
    new ReadTally(buffer, 2).add(1, 2)
    expect([1, 2, 3].map((times) => tally.count(times))).toEqual([3, 1, 0])
    expect([tally.offsets(0, 1), tally.offsets(0, 2), tally.offsets(1, 1)]).toEqual([[0, 1], [1], [2]])
  })
})
