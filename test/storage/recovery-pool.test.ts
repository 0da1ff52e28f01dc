import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { MillraceError } from '../../src/errors.ts'
import { seededRandom } from '../../src/random.ts'
import { PartitionFiles } from '../../src/storage/partition-files.ts'
import { recoverPartition } from '../../src/storage/partition-recovery.ts'
import type { RecoveryJob } from '../../src/storage/partition-recovery.ts'
import { recoveryPool } from '../../src/storage/recovery-pool.ts'
import { CONFIG, append, batch } from './partition-fixture.ts'

test('a partition is recovered on a thread of the pool, on the real disk, as it is on this one; an error keeps its code', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-recovery-'))
  const pool = recoveryPool(2)
  try {
    const disk = fileDisk()
    const directory = join(root, 't-0')
    const common = { disk, directory, config: { ...CONFIG, segmentBytes: 20_000 }, clock: systemClock, random: seededRandom(1) }
    const files = PartitionFiles.create(common)
    for (let offset = 0; offset < 250; offset++) append(files, batch({ offset, producerId: offset % 3, sequence: Math.floor(offset / 3) }))
    // The process is gone; the last write was cut short.
    const last = disk.open(`${directory}/${String(files.segments.at(-1)!.baseOffset).padStart(20, '0')}.log`, 'write')
    last.truncate(last.sizeInBytes() - 7)
    last.close()
    const job: RecoveryJob = {
      ...{ directory, topicId: undefined, config: common.config, nowMs: systemClock.nowMs(), resumePoint: undefined },
      ...{ recoveryPoint: 0, logStartOffset: undefined, isClean: false, hasRebooted: false, durableEnd: 0, holesBelow: 0 },
    }
    const recovered = await pool.run(job)
    expect(recovered.messages).toHaveLength(1)
    expect({ ...recovered, messages: [] }).toEqual(recoverPartition(disk, job))
    const opened = PartitionFiles.openRecovered(common, recovered)
    expect(opened.endOffset).toBe(249)
    append(opened, batch({ offset: 249 }))
    expect(opened.lookUp(249)!.baseOffset).toBe(249)
    const damaged = pool.run({ ...job, directory: join(root, 'none'), durableEnd: 5 })
    await expect(damaged).rejects.toBeInstanceOf(MillraceError)
    await expect(damaged).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' })
    opened.close()
  } finally {
    await pool.close()
    rmSync(root, { recursive: true, force: true })
  }
})
