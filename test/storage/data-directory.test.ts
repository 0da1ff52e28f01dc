import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { DiskError } from '../../src/disk/disk-error.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { replaceFile } from '../../src/disk/replace-file.ts'
import type { ErrorName } from '../../src/errors.ts'
import { MillraceError } from '../../src/errors.ts'
import type { TopicId } from '../../src/ids.ts'
import { seededRandom } from '../../src/random.ts'
import { openDataDirectory } from '../../src/storage/data-directory.ts'
import type { DataDirectory, DataDirectoryOptions } from '../../src/storage/data-directory.ts'
import { SimulatedDisk } from '../disk/simulated-disk.ts'
import { filesAfterKill, goldenFiles } from './golden-segments.ts'
import { Processes } from './processes.ts'

const PATH = '/data'
const ID: TopicId = [1, 2, 3, 4]
const ACCESS = { topic: 'access', partition: 0, topicId: ID }
const random = seededRandom(20_261_130)

let disk: SimulatedDisk
let processes: Processes
let told: string[]
beforeEach(() => {
  disk = new SimulatedDisk()
  processes = new Processes()
  told = []
})

function open(options: Partial<DataDirectoryOptions> = {}): DataDirectory {
  const clock = new VirtualClock()
  const process = processes.start()
  return openDataDirectory({ disk, path: PATH, brokers: 1, clock, random, process, log: (message) => told.push(message), ...options })
}

function put(path: string, text: string): void {
  disk.makeDirectory(dirname(path), true)
  replaceFile(disk, path, new TextEncoder().encode(text))
}

const textOf = (path: string, of: Disk = disk): string => new TextDecoder().decode(readWhole(of, path, 1 << 20))

function refused(code: ErrorName, options: Partial<DataDirectoryOptions> = {}): string {
  try {
    open(options)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    expect((error as MillraceError).code).toBe(code)
    // Who is refused lets go.
    expect(disk.exists(`${PATH}/.lock`)).toBe(false)
    return (error as MillraceError).message
  }
  throw new Error('not refused')
}

describe('one directory a broker', () => {
  test('they are made with one cluster id and a directory id each, and found again', () => {
    const first = open({ path: '/deep/down/data', brokers: 3 })
    expect(first.brokers.map(({ nodeId, path }) => [nodeId, path])).toEqual([0, 1, 2].map((id) => [id, `/deep/down/data/broker-${id}`]))
    expect(new Set(first.brokers.map(({ meta }) => meta.clusterId)).size).toBe(1)
    expect(new Set(first.brokers.map(({ meta }) => meta.directoryId)).size).toBe(3)
    expect(first.brokers.map(({ hasRebooted, isClean }) => [hasRebooted, isClean])).toEqual([0, 1, 2].map(() => [false, false]))
    first.abandon()
    const again = open({ path: '/deep/down/data', brokers: 3 })
    expect(again.brokers.map(({ meta }) => meta)).toEqual(first.brokers.map(({ meta }) => meta))
    expect(told).toEqual([])
  })

  test('with more brokers new ones are made; with fewer it is refused', () => {
    const first = open({ brokers: 2 })
    first.abandon()
    const more = open({ brokers: 3 })
    expect(more.clusterId).toBe(first.clusterId)
    more.abandon()
    expect(refused('INVALID_CONFIG', { brokers: 1 })).toBe(
      'dataDir /data was written by 3 brokers: with brokers: 1 the partitions in broker-1, broker-2 would be missing. Open it with brokers: 3 or more',
    )
  })

  test('the second open is refused while the first lasts', () => {
    const first = open()
    expect(() => open()).toThrow(/in use by process \d+: stop it/)
    first.closeClean([])
    open()
  })

  test('ids that do not agree are refused, naming both files', () => {
    open({ brokers: 2 }).abandon()
    const [file0, file1] = [0, 1].map((id) => `${PATH}/broker-${id}/meta.properties`) as [string, string]
    const [meta0, meta1] = [textOf(file0), textOf(file1)]
    put(file1, meta1.replace('node.id=1', 'node.id=0'))
    expect(refused('KAFKA_STORAGE_ERROR', { brokers: 2 })).toContain(`${file1} says node.id=0, and stands in ${PATH}/broker-1`)
    put(file1, meta1.replace(/cluster.id=.*/, 'cluster.id=other'))
    const message = refused('INCONSISTENT_CLUSTER_ID', { brokers: 2 })
    expect(message).toContain(file0)
    expect(message).toContain(`${file1} says cluster.id=other`)
    put(file1, meta0.replace('node.id=0', 'node.id=1'))
    expect(refused('KAFKA_STORAGE_ERROR', { brokers: 2 })).toContain('the same directory.id')
    put(file1, meta1.replace('version=1', 'version=2'))
    expect(refused('UNSUPPORTED_VERSION', { brokers: 2 })).toContain(`${file1} has format version 2`)
    put(file1, meta1)
    disk.remove(file1)
    disk.makeDirectory(`${PATH}/broker-1/access-0`)
    expect(refused('KAFKA_STORAGE_ERROR', { brokers: 2 })).toContain(`${file1} is missing`)
  })

  test('a file where a directory should be', () => {
    put(PATH, '')
    expect(() => open()).toThrow(`dataDir ${PATH} is a file`)
    disk.remove(PATH)
    put(`${PATH}/broker-0`, '')
    expect(refused('KAFKA_STORAGE_ERROR')).toContain(`${PATH}/broker-0 is a file`)
    disk.remove(`${PATH}/broker-0`)
    open().abandon()
    put(`${PATH}/broker-0/access-0`, '')
    expect(refused('KAFKA_STORAGE_ERROR')).toContain(`${PATH}/broker-0/access-0 is a file`)
  })

  test('a newer format of our own file is refused, and the directory stays clean', () => {
    open().closeClean([{ nodeId: 0, checkpoints: {}, brokerEpoch: 1 }])
    const file = `${PATH}/broker-0/.millrace`
    const text = textOf(file)
    put(file, text.replace('"version":1', '"version":2'))
    expect(refused('UNSUPPORTED_VERSION')).toContain(`${file} has format version 2`)
    put(file, text)
    expect(open().brokers[0]).toMatchObject({ isClean: true, brokerEpoch: 1 })
  })

  test('no right to write, or no space, is found when it is opened', () => {
    open().closeClean([{ nodeId: 0, checkpoints: {}, brokerEpoch: 1 }])
    for (const kind of ['EACCES', 'ENOSPC'] as const) {
      disk.plan([{ kind, at: 1, calls: ['open'], path: 'broker-0/.millrace.probe' }])
      expect(() => open()).toThrow(DiskError)
      expect(disk.faultsBitten).toBe(1)
    }
    disk.plan([])
    expect(open().brokers[0]!.isClean).toBe(true)
  })
})

describe('what was left', () => {
  const checkpoints = {
    recoveryPoints: [{ topic: 'access', partition: 0, offset: 100 }],
    logStarts: [{ topic: 'access', partition: 0, offset: 5 }],
    highWatermarks: [{ topic: 'access', partition: 0, offset: 99 }],
    cleanerOffsets: [],
  }

  test('after a clean close: offsets, marks, partitions; the clean mark goes at once', () => {
    const first = open()
    const path = first.makePartitionDirectory(0, ACCESS)
    const { durableEnds } = first.broker(0)
    durableEnds.mark(durableEnds.placeOf(ACCESS), 90)
    first.closeClean([{ nodeId: 0, checkpoints, brokerEpoch: 7 }])
    expect(textOf(`${PATH}/broker-0/.kafka_cleanshutdown`)).toBe('{"version":0,"brokerEpoch":7}')
    const again = open()
    const broker = again.broker(0)
    expect(broker).toMatchObject({ isClean: true, brokerEpoch: 7, hasRebooted: false })
    expect(broker.checkpoints.current).toEqual(checkpoints)
    expect(broker.partitions).toEqual([{ topic: 'access', partition: 0, topicId: ID, failure: undefined, path }])
    expect(broker.durableEnds.durableEnd(ACCESS)).toBe(90)
    expect(disk.exists(`${PATH}/broker-0/.kafka_cleanshutdown`)).toBe(false)
    again.abandon()
    expect(open().broker(0)).toMatchObject({ isClean: false, brokerEpoch: -1 })
  })

  test('a broker that is not named when it is closed is not clean', () => {
    open({ brokers: 2 }).closeClean([{ nodeId: 1, checkpoints: {}, brokerEpoch: 1 }])
    expect(open({ brokers: 2 }).brokers.map(({ isClean }) => isClean)).toEqual([false, true])
  })

  test('a reboot is seen until recovery is done, however often it is begun', () => {
    open().abandon()
    const rebooted = (): DataDirectory => open({ process: processes.start({ bootId: 'boot-2' }) })
    for (let i = 0; i < 3; i++) {
      const directory = rebooted()
      expect(directory.broker(0).hasRebooted).toBe(true)
      directory.abandon()
    }
    const directory = rebooted()
    directory.recovered()
    directory.abandon()
    expect(rebooted().broker(0).hasRebooted).toBe(false)
  })

  test('where the machine does not tell, or the file is damaged, it may have been rebooted', () => {
    const silent = (): DataDirectory => open({ process: processes.start({ bootId: '' }) })
    silent().abandon()
    const again = silent()
    expect(again.broker(0).hasRebooted).toBe(true)
    again.abandon()
    open().abandon()
    put(`${PATH}/broker-0/.millrace`, '{')
    expect(open().broker(0).hasRebooted).toBe(true)
    expect(told.join()).toContain('.millrace is damaged')
  })

  test('only checkpoint files that change are written', () => {
    const directory = open()
    directory.checkpoint(0, checkpoints)
    disk.plan([])
    directory.checkpoint(0, checkpoints)
    expect(disk.calls.size).toBe(0)
    directory.checkpoint(0, { ...checkpoints, highWatermarks: [] })
    expect(disk.calls.get('rename')).toBe(1)
  })

  test('a damaged checkpoint is as if empty, and told; a newer one refuses', () => {
    open().abandon()
    const file = `${PATH}/broker-0/recovery-point-offset-checkpoint`
    put(file, '0\n1\naccess 0')
    const directory = open()
    expect(directory.broker(0).checkpoints.current.recoveryPoints).toEqual([])
    expect(told).toEqual([expect.stringContaining(`${file} is damaged`)])
    directory.abandon()
    put(file, '9\n0\n')
    expect(refused('UNSUPPORTED_VERSION')).toContain(file)
  })

  test('leftovers: deleted ones are listed, others are left alone and told', () => {
    open().abandon()
    const hex = '0123456789abcdef0123456789abcdef'
    const names = [`access-0.${hex}-delete`, `access-1.${hex}-future`, `access-2.${hex}-stray`, 'lost+found', 'access-3']
    for (const name of names) disk.makeDirectory(`${PATH}/broker-0/${name}`)
    put(`${PATH}/broker-0/access-3/partition.metadata`, 'version: 0\ntopic_id: x')
    const broker = open().broker(0)
    expect(broker.deleted).toEqual([`${PATH}/broker-0/${names[0]}`])
    expect(broker.partitions.map(({ topic, partition, topicId }) => [topic, partition, topicId])).toEqual([['access', 3, undefined]])
    expect(broker.partitions[0]!.failure?.code).toBe('KAFKA_STORAGE_ERROR')
    expect(told).toHaveLength(3)
  })

  test('a partition in two places is refused, naming both', () => {
    open({ brokers: 2 }).abandon()
    for (const id of [0, 1]) disk.makeDirectory(`${PATH}/broker-${id}/access-0`)
    expect(refused('KAFKA_STORAGE_ERROR', { brokers: 2 })).toContain(
      `partition access-0 is in two places, ${PATH}/broker-0/access-0 and ${PATH}/broker-1/access-0`,
    )
  })
})

describe('directories of partitions', () => {
  const offsets = { recoveryPoints: [{ topic: 'access', partition: 0, offset: 3 }] }

  test('what cannot be a name never becomes a path', () => {
    const directory = open()
    for (const topic of ['..', '../x', 'a/b', '', 'a'.repeat(250)]) {
      const name = { ...ACCESS, topic }
      for (const make of [() => directory.makePartitionDirectory(0, name), () => directory.removePartitionDirectory(0, name)]) {
        expect(make).toThrow(expect.objectContaining({ code: 'INVALID_TOPIC_EXCEPTION' }) as Error)
      }
    }
    for (const partition of [-1, 1.5, Number.NaN]) {
      expect(() => directory.makePartitionDirectory(0, { ...ACCESS, partition })).toThrow('cannot be a partition')
    }
  })

  test('one that is removed is renamed as Kafka does, and leaves no offsets to a successor', () => {
    const directory = open()
    directory.makePartitionDirectory(0, ACCESS)
    const { durableEnds, checkpoints } = directory.broker(0)
    durableEnds.mark(durableEnds.placeOf(ACCESS), 3)
    directory.checkpoint(0, offsets)
    const path = directory.removePartitionDirectory(0, ACCESS)
    expect(path).toMatch(/broker-0\/access-0\.[0-9a-f]{32}-delete$/)
    expect(checkpoints.current.recoveryPoints).toEqual([])
    expect(durableEnds.durableEnd(ACCESS)).toBe(0)
    expect(disk.exists(path)).toBe(true)
    directory.removeDeleted(path)
    expect(disk.exists(path)).toBe(false)
    expect(textOf(`${directory.makePartitionDirectory(0, ACCESS)}/partition.metadata`)).toContain('topic_id: ')
  })

  test('one that holds a log is not made again; what a crash left of making it is taken', () => {
    const directory = open()
    const path = directory.makePartitionDirectory(0, ACCESS)
    disk.remove(`${path}/partition.metadata`)
    directory.makePartitionDirectory(0, ACCESS)
    put(`${path}/00000000000000000000.log`, '')
    expect(() => directory.makePartitionDirectory(0, ACCESS)).toThrow('something is there already')
  })

  test('one that is moved takes its offsets along; a power cut finds it in one place, with them', () => {
    const directory = open({ brokers: 2 })
    directory.makePartitionDirectory(0, ACCESS)
    const { durableEnds } = directory.broker(0)
    durableEnds.mark(durableEnds.placeOf(ACCESS), 3)
    directory.checkpoint(0, offsets)
    let cuts = 0
    const look = (): void => {
      for (const { disk: after, description } of disk.crashStates(1, { drawn: 4 })) {
        cuts++
        const found = open({ disk: after, brokers: 2, process: processes.start({ bootId: 'boot-2' }) })
        const homes = found.brokers.filter(({ partitions }) => partitions.length === 1)
        expect(homes, description).toHaveLength(1)
        expect(homes[0]!.durableEnds.durableEnd(ACCESS), description).toBe(3)
        expect(homes[0]!.checkpoints.of('access', 0).recoveryPoints, description).toHaveLength(1)
      }
    }
    const before = disk.killState()
    for (let at = 1; ; at++) {
      disk = before.killState()
      const moving = open({ brokers: 2, process: processes.start({ bootId: 'boot-9' }) })
      disk.plan([{ kind: 'stop', at }])
      let stopped = false
      try {
        moving.movePartition(0, 1, ACCESS)
      } catch {
        stopped = true
      }
      expect(stopped).toBe(disk.stopped)
      look()
      if (!stopped) {
        expect(moving.broker(0).durableEnds.durableEnd(ACCESS)).toBe(0)
        expect(moving.broker(0).checkpoints.current.recoveryPoints).toEqual([])
        break
      }
    }
    expect(cuts).toBeGreaterThan(100)
  })
})

describe('directories of a Kafka broker', () => {
  const copy = (files: ReadonlyMap<string, Uint8Array>): void => {
    disk.makeDirectory(PATH)
    for (const [name, bytes] of files) {
      const path = `${PATH}/${name}`
      if (name.endsWith('/') || name === '' || name === '.') continue
      disk.makeDirectory(dirname(path), true)
      // Files of a partition are not read here.
      replaceFile(disk, path, bytes.subarray(0, 4096))
    }
  }
  const name = (files: unknown): string => (files === undefined ? ' (skipped: the golden directory is not here)' : '')

  test.skipIf(goldenFiles === undefined)(`after a clean stop${name(goldenFiles)}`, () => {
    copy(goldenFiles!)
    expect(refused('INVALID_CONFIG', { brokers: 3 })).toContain('is the log directory of one Kafka broker: open it with brokers: 1')
    const directory = open()
    const [broker] = directory.brokers
    expect(broker).toMatchObject({ isClean: true, hasRebooted: true, path: PATH, nodeId: 1 })
    expect(broker!.partitions.map(({ topic, partition }) => `${topic}-${partition}`)).toEqual(
      [...new Set([...goldenFiles!.keys()].filter((path) => path.endsWith('.log')).map((path) => path.split('/')[0]!))].sort(),
    )
    expect(broker!.partitions.every(({ topicId }) => topicId !== undefined)).toBe(true)
    expect(broker!.checkpoints.of('access', 0).recoveryPoints).toEqual([{ topic: 'access', partition: 0, offset: 10_000 }])
    directory.closeClean([{ nodeId: 1, checkpoints: broker!.checkpoints.current, brokerEpoch: 1 }])
    expect(open().broker(1)).toMatchObject({ isClean: true, hasRebooted: false, nodeId: 1 })
    expect(told).toEqual([])
  })

  test.skipIf(filesAfterKill === undefined)(`after a kill${name(filesAfterKill)}`, () => {
    copy(filesAfterKill!)
    const [broker] = open().brokers
    expect(broker).toMatchObject({ isClean: false, hasRebooted: true, nodeId: 1 })
    expect(broker!.partitions.length).toBeGreaterThan(5)
  })

  test('one that also holds directories of brokers is refused', () => {
    open().abandon()
    put(`${PATH}/meta.properties`, textOf(`${PATH}/broker-0/meta.properties`))
    expect(refused('KAFKA_STORAGE_ERROR')).toContain(`also holds ${PATH}/broker-0`)
  })
})

const isRoot = process.getuid?.() === 0
test.skipIf(isRoot)(`a real directory without the right to write${isRoot ? ' (skipped: root may write everywhere)' : ''}`, () => {
  const root = mkdtempSync(join(tmpdir(), 'data-'))
  try {
    mkdirSync(join(root, 'data'))
    chmodSync(join(root, 'data'), 0o500)
    expect(() => open({ disk: fileDisk(), path: join(root, 'data') })).toThrow('give the user that this process runs as the right')
  } finally {
    chmodSync(join(root, 'data'), 0o700)
    rmSync(root, { recursive: true })
  }
})

test('on a real disk: opened, closed, opened again', () => {
  const path = mkdtempSync(join(tmpdir(), 'data-'))
  try {
    const first = open({ disk: fileDisk(), path, brokers: 2 })
    first.makePartitionDirectory(1, ACCESS)
    first.movePartition(1, 0, ACCESS)
    first.closeClean([0, 1].map((nodeId) => ({ nodeId, checkpoints: {}, brokerEpoch: 1 })))
    expect(readFileSync(join(path, 'broker-0', '.kafka_cleanshutdown'), 'utf8')).toContain('"brokerEpoch":1')
    writeFileSync(join(path, 'broker-1', 'notes.txt'), '')
    const again = open({ disk: fileDisk(), path, brokers: 2 })
    expect(again.brokers.map(({ isClean, partitions }) => [isClean, partitions.length])).toEqual([
      [true, 1],
      [true, 0],
    ])
    again.abandon()
    again.abandon()
  } finally {
    rmSync(path, { recursive: true })
  }
})
