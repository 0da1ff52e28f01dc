// Damaged files of a data directory: 500 of them, on a simulated disk. `npm run torture:damage` has the long form.

import { expect, test } from 'vitest'
import { outcomesInWords, runDamageRounds } from './damage-round.ts'
import { DAMAGES } from './file-damages.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261_130)

test(`found, never served, seed ${SEED}`, async () => {
  const counts = await runDamageRounds(SEED, 500)
  console.log(outcomesInWords(counts))
  expect(counts.faults).toEqual([])
  expect(counts.rounds).toBe(500)
  // A kind that bites nowhere tests nothing.
  for (const kind of DAMAGES) expect(counts.bitten.get(kind) ?? 0, kind).toBeGreaterThan(0)
})
