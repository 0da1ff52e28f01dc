import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { systemClock } from '../../src/clock.ts'
import { seededRandom } from '../../src/random.ts'
import { MillraceError } from '../../src/errors.ts'
import { PartitionFiles } from '../../src/storage/partition-files.ts'
import { cleanerPool } from '../../src/storage/cleaner-pool.ts'
import { CleanedFiles } from './cleaned-partition.ts'
import { CONFIG } from './partition-fixture.ts'

test('a partition is compacted on a thread of the pool, on the real disk; an error keeps its code', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-cleaner-'))
  const pool = cleanerPool(1)
  try {
    const disk = fileDisk()
    const directory = join(root, 't-0')
    const config = { ...CONFIG, segmentBytes: 20_000, isCompacted: true }
    const files = PartitionFiles.create({ disk, directory, config, clock: systemClock, random: seededRandom(1) })
    const world = new CleanedFiles({ disk, files, segmentBytes: 20_000, runJob: (job) => pool.run(job) })
    for (let i = 0; i < 500; i++) world.append([{ key: `k${i % 50}`, value: 'v'.repeat(100), timestampMs: world.clock.nowMs() }])
    files.roll()
    world.append([{ key: 'tail', value: '', timestampMs: 1 }])
    const before = files.sizeInBytes
    await world.clean()
    expect(world.log).toEqual([])
    expect(world.cleaner.cleanings).toBe(1)
    expect(files.sizeInBytes).toBeLessThan(before / 5)
    expect(files.lookUp(450)!.baseOffset).toBe(450)
    expect(readdirSync(directory).filter((name) => /cleaned|swap/.test(name))).toEqual([])
    const gone = pool.run({
      directory: join(root, 'nothing'),
      segments: [],
      from: 0,
      to: 0,
      config: world.partition.config(),
      nowMs: 0,
      stableEndOffset: 0,
      producers: [],
      dedupeBufferBytes: 1_024,
    })
    await expect(gone).rejects.toBeInstanceOf(MillraceError)
    await expect(gone).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    files.close()
  } finally {
    await pool.close()
    rmSync(root, { recursive: true, force: true })
  }
})
