// The headers in front of each request and response, and which version of them.
//
//   request v1   api_key int16 · api_version int16 · correlation_id int32 · client_id nullable string
//   request v2   the same · tagged fields
//   response v0  correlation_id int32
//   response v1  correlation_id int32 · tagged fields
//
// v2 and v1 go with flexible versions of the body. Two exceptions: client_id keeps its
// int16 length in v2, and a response of ApiVersions always has header v0, because a
// client reads it before it knows what the broker can do (KIP-511).
// Pure; any thread.

import { MillraceError } from '../errors.ts'
import { API_VERSIONS_KEY, findApiKey, isApiVersionKnown } from './api-keys.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** The largest frame that Kafka takes, its four bytes of size not counted. */
export const FRAME_BYTES_MAX = 104_857_600
const CLIENT_ID_BYTES_MAX = 0x7fff

export function requestHeaderVersion(apiKey: number, apiVersion: number): 1 | 2 {
  return isFlexible(apiKey, apiVersion) ? 2 : 1
}

export function responseHeaderVersion(apiKey: number, apiVersion: number): 0 | 1 {
  return apiKey !== API_VERSIONS_KEY && isFlexible(apiKey, apiVersion) ? 1 : 0
}

/**
 * The version that answers a request. An ApiVersions request of a version that is not
 * known is answered in version 0, with UNSUPPORTED_VERSION and the versions of
 * ApiVersions, and its body is not read. Undefined: no answer, the connection is dropped.
 */
export function responseVersion(apiKey: number, apiVersion: number): number | undefined {
  if (isApiVersionKnown(apiKey, apiVersion)) return apiVersion
  return apiKey === API_VERSIONS_KEY ? 0 : undefined
}

/** Reads up to the body. The header of an API that is not known is read as v1. */
export function readRequestHeader(reader: ByteReader): RequestHeader {
  reader.subject = 'request header'
  const apiKey = reader.readInt16()
  const apiVersion = reader.readInt16()
  const correlationId = reader.readInt32()
  const clientId = reader.readNullableString()
  if (isFlexible(apiKey, apiVersion)) skipTaggedFields(reader)
  return { apiKey, apiVersion, correlationId, clientId }
}

export function writeRequestHeader(writer: ByteWriter, header: RequestHeader): void {
  writer.writeInt16(header.apiKey)
  writer.writeInt16(header.apiVersion)
  writer.writeInt32(header.correlationId)
  if (header.clientId === null) {
    writer.writeInt16(-1)
  } else {
    const at = writer.begin(2)
    const length = writer.writeText(header.clientId)
    if (length > CLIENT_ID_BYTES_MAX) throw new MillraceError('INVALID_REQUEST', `a clientId takes at most ${CLIENT_ID_BYTES_MAX} bytes`)
    writer.endInt16(at)
  }
  if (isFlexible(header.apiKey, header.apiVersion)) writer.writeUnsignedVarint(0)
}

/** The correlation id; the reader stands at the body afterwards. */
export function readResponseHeader(reader: ByteReader, apiKey: number, apiVersion: number): number {
  reader.subject = 'response header'
  const correlationId = reader.readInt32()
  if (responseHeaderVersion(apiKey, apiVersion) === 1) skipTaggedFields(reader)
  return correlationId
}

export function writeResponseHeader(writer: ByteWriter, apiKey: number, apiVersion: number, correlationId: number): void {
  writer.writeInt32(correlationId)
  if (responseHeaderVersion(apiKey, apiVersion) === 1) writer.writeUnsignedVarint(0)
}

function isFlexible(apiKey: number, apiVersion: number): boolean {
  return apiVersion >= (findApiKey(apiKey)?.flexibleFrom ?? Number.POSITIVE_INFINITY)
}

// None is defined for headers.
function skipTaggedFields(reader: ByteReader): void {
  const count = reader.readUnsignedVarint()
  for (let i = 0; i < count; i++) {
    reader.readUnsignedVarint()
    reader.skip(reader.readUnsignedVarint())
  }
}
