// Piscina worker: the task of the piscina peer. The same work on every record as elsewhere.

interface RecordObject {
  readonly value: Uint8Array
}

export interface TaskResult {
  readonly records: number
  readonly checksum: number
}

export function sumRecords(records: readonly RecordObject[]): TaskResult {
  let checksum = 0
  for (const { value } of records) checksum += value[0]! + value[value.length - 1]!
  return { records: records.length, checksum }
}
