// A message with its version in front, as an int16: the keys and values of internal
// topics, and what members of a group send each other through the coordinator.
//
//   0        2
//   | version | message in that version … |
//
// Pure; any thread.

import { ByteReader } from './byte-reader.ts'
import { readMessage } from './decoder.ts'
import { encoded, writeMessage } from './encoder.ts'
import type { MessageSchema } from './message-schema.ts'
import type { MessageInput } from './schema.ts'

export interface VersionedMessage<Message> {
  readonly version: number
  readonly message: Message
}

export function encodeVersioned<Message>(schema: MessageSchema<Message>, version: number, message: MessageInput<Message>): Uint8Array {
  return encoded((writer) => {
    writer.writeInt16(version)
    writeMessage(writer, schema, version, message)
  })
}

/** Throws UNSUPPORTED_VERSION for a version that is not known. */
export function decodeVersioned<Message>(schema: MessageSchema<Message>, bytes: Uint8Array): VersionedMessage<Message> {
  const reader = logReader(bytes, schema.name)
  const version = reader.readInt16()
  const message = readMessage(reader, schema, version)
  reader.expectEnd()
  return { version, message }
}

/**
 * For messages that only grow at their end, as the consumer protocol's: one of a newer
 * version is read as the newest that is known, and what is behind it is left out.
 */
export function decodeVersionedLeniently<Message>(schema: MessageSchema<Message>, bytes: Uint8Array): VersionedMessage<Message> {
  const reader = new ByteReader(bytes)
  reader.subject = schema.name
  const version = reader.readInt16()
  return { version, message: readMessage(reader, schema, Math.min(version, schema.maxVersion)) }
}

/**
 * Reads what a log of ours holds: under a CRC, and written by the coordinators or the
 * controller alone. So there is no limit on what decoding may allocate, beside the one
 * that counts and lengths have by the bytes that are there.
 */
export function logReader(bytes: Uint8Array, subject: string): ByteReader {
  const reader = new ByteReader(bytes, { code: 'CORRUPT_MESSAGE', allocationLimitBytes: Number.POSITIVE_INFINITY })
  reader.subject = subject
  return reader
}
