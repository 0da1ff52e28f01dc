import { expect, test } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { recoverAll } from '../../src/io/log-recovery.ts'
import type { RecoveryThreads } from '../../src/io/log-recovery.ts'
import { recoverPartition } from '../../src/storage/partition-recovery.ts'
import type { RecoveryJob } from '../../src/storage/partition-recovery.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { CONFIG, append, batch, create, newDisk } from '../storage/partition-fixture.ts'

const MIB = 1 << 20

function jobOf(directory: string): RecoveryJob {
  const known = { recoveryPoint: 0, logStartOffset: 0, isClean: false, hasRebooted: false, durableEnd: 0, holesBelow: 0 }
  return { ...known, directory, topicId: undefined, config: { ...CONFIG, segmentBytes: 100 * MIB }, nowMs: 0, resumePoint: undefined }
}

/** Partitions of so many MiB, left by a kill. */
function killed(sizes: readonly number[]): { disk: SimulatedDisk; jobs: RecoveryJob[] } {
  const disk = newDisk()
  const jobs = sizes.map((size, i) => {
    const files = create(disk, { segmentBytes: 100 * MIB })
    for (let offset = 0; offset < size; offset++) append(files, batch({ offset, sizeInBytes: MIB }))
    files.closeFiles()
    disk.rename('/data/t-0', `/data/p-${i}`)
    return jobOf(`/data/p-${i}`)
  })
  return { disk: disk.killState(), jobs }
}

class Threads implements RecoveryThreads {
  readonly ran: string[] = []
  closed = 0
  readonly #run: (job: RecoveryJob) => ReturnType<RecoveryThreads['run']>

  constructor(run: (job: RecoveryJob) => ReturnType<RecoveryThreads['run']>) {
    this.#run = run
  }

  run(job: RecoveryJob): ReturnType<RecoveryThreads['run']> {
    this.ran.push(job.directory)
    return this.#run(job)
  }

  async close(): Promise<void> {
    this.closed++
  }
}

test('little is recovered on this thread, and no other is started', async () => {
  const { disk, jobs } = killed([2, 0, 3])
  const answers = await recoverAll(
    disk,
    jobs,
    () => {
      throw new Error('threads are started')
    },
    16 * MIB,
  )
  expect(answers.map((one) => 'recovered' in one && one.recovered.segments.at(-1)?.endOffset)).toEqual([2, 0, 3])
})

test('much goes to threads, the largest first, what is empty does not; answers come in the order of the jobs; threads are closed', async () => {
  const { disk, jobs } = killed([2, 0, 40, 3])
  const threads = new Threads(async (job) => recoverPartition(disk, job))
  const answers = await recoverAll(disk, jobs, () => threads, 16 * MIB)
  expect(threads.ran).toEqual(['/data/p-2', '/data/p-3', '/data/p-0'])
  expect(threads.closed).toBe(1)
  expect(answers.map((one) => 'recovered' in one && one.recovered.segments.at(-1)?.endOffset)).toEqual([2, 0, 40, 3])
})

test('a partition that is damaged is its own trouble; what a thread that died was to do is done here', async () => {
  const { disk, jobs } = killed([20, 20, 20])
  const damage = new MillraceError('KAFKA_STORAGE_ERROR', 'damaged')
  const threads = new Threads(async ({ directory }) => {
    throw directory === '/data/p-1' ? damage : new Error('its thread has ended')
  })
  const answers = await recoverAll(disk, jobs, () => threads, 16 * MIB)
  expect(answers[1]).toEqual({ failure: damage })
  expect([answers[0], answers[2]].map((one) => 'recovered' in one! && one.recovered.segments.at(-1)?.endOffset)).toEqual([20, 20])
  expect(threads.closed).toBe(1)
})

test('a defect is thrown, when the threads are closed', async () => {
  const { disk, jobs } = killed([20])
  const threads = new Threads(async () => {
    throw new MillraceError('ASSERTION_FAILED', 'a defect')
  })
  await expect(recoverAll(disk, jobs, () => threads, 16 * MIB)).rejects.toMatchObject({ code: 'ASSERTION_FAILED' })
  expect(threads.closed).toBe(1)
})
