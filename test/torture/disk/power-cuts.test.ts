// Power cuts of a real file system, under processes that write. What no user may do is not done, and says so.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/random.ts'
import { runDiskRound } from './disk-round.ts'
import { Ext4Image, whyNoPowerCuts } from './ext4-image.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261_130)
const ROUNDS = 2
const CUTS = 4

const why = whyNoPowerCuts()

describe.skipIf(why !== undefined)(`power cuts of ext4${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  test(`disk loses nothing, cache is the control that must, seed ${SEED}`, async () => {
    const random = seededRandom(SEED)
    let acked = 0
    let lostOfCache = 0
    for (let round = 0; round < ROUNDS; round++) {
      const image = new Ext4Image()
      try {
        const dataDir = join(image.path, 'data')
        const counts = await runDiskRound({ dataDir, random, generations: CUTS, power: image })
        expect(counts.faults, `round ${round}`).toEqual([])
        expect(counts.lost.get('disk')).toBe(0)
        acked += counts.acked
        lostOfCache += counts.lost.get('cache')!
      } finally {
        image.close()
      }
    }
    expect(acked).toBeGreaterThan(100)
    expect(lostOfCache).toBeGreaterThan(0)
  }, 120_000)
})
