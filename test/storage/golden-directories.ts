// The log directories that Apache Kafka 4.3.1 left, unpacked, and its own dump of the clean one.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readReference, referenceFile } from '../protocol/schema-facts.ts'

export interface DumpedRecord {
  readonly offset: number
  readonly timestampMs: number
  /** -1: null. */
  readonly keySize: number
  readonly valueSize: number
  readonly isControl: boolean
}

export interface DumpedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  /** Bytes from the beginning of its file. */
  readonly position: number
  readonly size: number
  readonly crc: number
  readonly leaderEpoch: number
  readonly codec: string
  readonly records: readonly DumpedRecord[]
}

/** A copy of the directory, and what takes it away again; undefined where the archive is not there. */
export function goldenDirectory(which: 'clean' | 'after-kill'): { path: string; remove: () => void } | undefined {
  const archive = referenceFile(`golden/kafka-log-dir-${which}.tar.gz`)
  if (archive === undefined) return undefined
  const path = mkdtempSync(join(tmpdir(), 'golden-'))
  execFileSync('tar', ['xzf', fileURLToPath(archive), '-C', path])
  return { path, remove: () => rmSync(path, { recursive: true }) }
}

/** The batches of each partition of the clean directory, of all its segments, in order. */
export function goldenDump(): Map<string, DumpedBatch[]> {
  const partitions = new Map<string, DumpedBatch[]>()
  let batches: DumpedBatch[] = []
  for (const line of (readReference('golden/kafka-log-dir-clean.dump.txt.gz') ?? '').split('\n')) {
    if (line.startsWith('#### ')) partitions.set(line.slice(5).trim(), (batches = []))
    else if (line.startsWith('baseOffset: ')) batches.push(dumpedBatch(line))
    else if (line.startsWith('| offset: ')) (batches.at(-1)!.records as DumpedRecord[]).push(dumpedRecord(line))
  }
  return partitions
}

function numberOf(line: string, field: string): number {
  return Number(new RegExp(`\\b${field}: (-?\\d+)`).exec(line)?.[1])
}

function dumpedBatch(line: string): DumpedBatch {
  return {
    baseOffset: numberOf(line, 'baseOffset'),
    lastOffset: numberOf(line, 'lastOffset'),
    count: numberOf(line, 'count'),
    position: numberOf(line, 'position'),
    size: numberOf(line, 'size'),
    crc: numberOf(line, 'crc'),
    leaderEpoch: numberOf(line, 'partitionLeaderEpoch'),
    codec: /compresscodec: (\w+)/.exec(line)![1]!,
    records: [],
  }
}

function dumpedRecord(line: string): DumpedRecord {
  return {
    offset: numberOf(line, 'offset'),
    timestampMs: numberOf(line, '(?:CreateTime|LogAppendTime)'),
    keySize: numberOf(line, 'keySize'),
    valueSize: numberOf(line, 'valueSize'),
    isControl: /endTxnMarker|controlType/.test(line),
  }
}
