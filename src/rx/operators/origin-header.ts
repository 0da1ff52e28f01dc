// Where a repartitioned record came from, as a header of it. Pure.
//
//   millrace.origin: topic/partition/offset/index        UTF-8; a topic's name has no slash

import type { RecordHeaders } from '../../client/headers.ts'
import type { RecordOrigin } from '../windows/origin-marks.ts'

export const ORIGIN_HEADER = 'millrace.origin'

export function originText({ topic, partition, offset, index }: RecordOrigin): string {
  return `${topic}/${partition}/${offset}/${index}`
}

/** Undefined where there is none, or none that millrace wrote. */
export function originInHeaders(headers: RecordHeaders): RecordOrigin | undefined {
  const text = headers.get(ORIGIN_HEADER)
  if (text === undefined || text === null) return undefined
  const [topic, ...rest] = text.split('/')
  const [partition, offset, index] = rest.map(Number)
  if (rest.length !== 3 || !isCount(partition) || !isCount(offset) || !isCount(index)) return undefined
  return { topic: topic!, partition, offset, index }
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && value! >= 0
}
