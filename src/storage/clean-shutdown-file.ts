// `.kafka_cleanshutdown` of a log directory: it is there while the directory is closed
// and whole. It is written last when a broker stops, and goes when it starts (KIP-966
// gave it a content). Pure; any thread.
//
//   {"version":0,"brokerEpoch":402}     no line feed; empty before Kafka 3.7

import { damagedFile, newerFileFormat } from './file-errors.ts'

export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

const VERSION = 0
/** The epoch of a broker that wrote none. */
const NO_BROKER_EPOCH = -1
const REMEDY = 'Delete it: the logs are then checked when they are opened.'

export function encodeCleanShutdown(brokerEpoch: number): string {
  return JSON.stringify({ version: VERSION, brokerEpoch })
}

/**
 * The epoch of the broker that stopped, -1 for none. Throws UNSUPPORTED_VERSION for a newer
 * format, and KAFKA_STORAGE_ERROR for text that is none of it: then nothing proves that the
 * logs are whole.
 */
export function decodeCleanShutdown(path: string, text: string): number {
  if (text === '') return NO_BROKER_EPOCH
  const { version, brokerEpoch } = parseObject(path, text)
  if (Number.isInteger(version) && (version as number) > VERSION) throw newerFileFormat(path, version as number, VERSION)
  if (version !== VERSION) throw damagedFile(path, 'no version', REMEDY)
  if (!Number.isSafeInteger(brokerEpoch) || (brokerEpoch as number) < NO_BROKER_EPOCH) throw damagedFile(path, 'no brokerEpoch', REMEDY)
  return brokerEpoch as number
}

function parseObject(path: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damagedFile(path, 'text that is no JSON', REMEDY)
  }
  if (typeof value !== 'object' || value === null) throw damagedFile(path, 'JSON that is no object', REMEDY)
  return value as Record<string, unknown>
}
