// The timestamps of a batch when its leader takes it (Kafka: LogValidator). By the batch's
// header alone: its records are not looked at. Runs on the partition's broker thread, once
// a batch; allocates nothing.

import { looseInt64 } from '../log/batch-walk.ts'
import type { LogConfig } from '../log/log-config.ts'
import { BASE_TIMESTAMP, MAX_TIMESTAMP } from '../record/record-batch-layout.ts'
import { stampLogAppendTime, writeCrc } from '../record/record-batch.ts'

/** Whether its first and its latest timestamp lie as near to now as the topic wants them. */
export function hasTimestampsInRange(bytes: Uint8Array, start: number, config: LogConfig, nowMs: number): boolean {
  return (
    nowMs - looseInt64(bytes, start + BASE_TIMESTAMP) <= config.timestampBeforeMaxMs &&
    looseInt64(bytes, start + MAX_TIMESTAMP) - nowMs <= config.timestampAfterMaxMs
  )
}

/** Makes now the timestamp of every record of the one batch in [start, end), and its CRC right where it has one. */
export function stampAppendTime(bytes: Uint8Array, start: number, end: number, nowMs: number, hasCrc: boolean): void {
  stampLogAppendTime(bytes, start, nowMs)
  if (hasCrc) writeCrc(bytes, start, end)
}
