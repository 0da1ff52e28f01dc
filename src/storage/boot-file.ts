// `.millrace` of a log directory, the one file there that Kafka has nothing like: which format of ours
// it is in, and since which start of the machine its logs were last found whole. Pure; any thread.
//
//   {"version":1,"bootId":"6cb1…","openedMs":1764474000000}     no line feed
//
// It is written when recovery is done, not before: who dies in the middle of the first recovery after
// a reboot must see the reboot again, or what the power cut tore would be called damage.

import { damagedFile, newerFileFormat } from './file-errors.ts'

export const BOOT_FILE = '.millrace'
export const BOOT_FILE_VERSION = 1

export interface BootFile {
  /** Empty where the machine does not tell. */
  readonly bootId: string
  /** When recovery was done, by the wall clock. For people. */
  readonly openedMs: number
}

export function encodeBootFile({ bootId, openedMs }: BootFile): string {
  return JSON.stringify({ version: BOOT_FILE_VERSION, bootId, openedMs })
}

/** Throws UNSUPPORTED_VERSION for a newer format, and KAFKA_STORAGE_ERROR for text that is none of it. */
export function decodeBootFile(path: string, text: string): BootFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const { version, bootId, openedMs } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (Number.isInteger(version) && (version as number) > BOOT_FILE_VERSION)
    throw newerFileFormat(path, version as number, BOOT_FILE_VERSION)
  if (version !== BOOT_FILE_VERSION || typeof bootId !== 'string' || typeof openedMs !== 'number') {
    throw damagedFile(path, 'no version, boot id and time', 'Delete it: the machine is then taken to have been rebooted.')
  }
  return { bootId, openedMs }
}
