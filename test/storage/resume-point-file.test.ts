import { expect, test } from 'vitest'
import { readWhole } from '../../src/disk/read-whole.ts'
import type { MarkedPartition } from '../../src/storage/durable-end-file.ts'
import { encodeProducerSnapshot } from '../../src/storage/producer-snapshot.ts'
import type { ResumePoint } from '../../src/storage/resume-point.ts'
import { ResumePoints } from '../../src/storage/resume-point-file.ts'
import { newDisk } from './partition-fixture.ts'

const PATH = '/data/resume-points'
const partition = (topic: string, index = 0, id = 1): MarkedPartition => ({ topic, partition: index, topicId: [id, -2, 3, 4] })
const [a, b] = [partition('a'), partition('größer', 12, 2)]

function point(endOffset: number): ResumePoint {
  return {
    baseOffset: 2 ** 40,
    endOffset: 2 ** 40 + endOffset,
    position: 2 ** 31 - 1,
    lastBatchPosition: 2 ** 31 - 100,
    lastBatchCrc: 0xffff_fffe,
    leaderEpoch: 9,
    firstTimestampMs: -1,
    offsetEntries: 3,
    timeEntries: 2,
    transactionEntries: 1,
    bytesSinceLastEntry: 100,
    lastTimestampMs: 1_700_000_000_000,
    lastTimestampOffset: 2 ** 40 + 1,
    producers: encodeProducerSnapshot([]),
  }
}

test('what is written is there under the same boot, and nothing of it under another, or where no boot is known', () => {
  const disk = newDisk()
  const points = ResumePoints.read(disk, PATH, 'boot 1')
  points.put(a, point(1))
  points.put(b, point(2))
  points.put(a, point(3))
  points.write()
  const again = ResumePoints.read(disk, PATH, 'boot 1')
  expect([a, b].map((one) => again.get(one))).toEqual([point(3), point(2)])
  expect(again.get(partition('a', 0, 5))).toBeUndefined()
  expect(again.get(partition('a', 1))).toBeUndefined()
  for (const bootId of ['boot 2', 'boot', ''])
    expect([a, b].map((one) => ResumePoints.read(disk, PATH, bootId).get(one))).toEqual([undefined, undefined])
  again.drop(a)
  again.write()
  expect([a, b].map((one) => ResumePoints.read(disk, PATH, 'boot 1').get(one))).toEqual([undefined, point(2)])
  again.retain([a])
  expect(again.get(b)).toBeUndefined()
})

test('a byte that is changed, or a file that is cut, never gives another point', () => {
  const disk = newDisk()
  const points = ResumePoints.read(disk, PATH, 'boot 1')
  points.put(a, point(1))
  points.put(b, point(2))
  points.write()
  const bytes = readWhole(disk, PATH, 10_000)
  let lost = 0
  for (let at = 0; at < bytes.length; at++) {
    for (const changed of [bytes.with(at, bytes[at]! ^ 0x10), bytes.subarray(0, at)]) {
      const file = disk.open(PATH, 'write')
      file.truncate(changed.length)
      file.write(changed, 0, changed.length, 0)
      file.close()
      const found = ResumePoints.read(disk, PATH, 'boot 1')
      for (const [one, expected] of [[a, point(1)] as const, [b, point(2)] as const]) {
        const got = found.get(one)
        if (got === undefined) lost++
        else expect(got).toEqual(expected)
      }
    }
  }
  expect(lost).toBeGreaterThan(bytes.length)
})
