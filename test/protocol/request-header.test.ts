import { describe, expect, test } from 'vitest'
import { API_KEYS } from '../../src/protocol/api-keys.ts'
import { ByteReader } from '../../src/protocol/byte-reader.ts'
import { ByteWriter } from '../../src/protocol/byte-writer.ts'
import {
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  responseVersion,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/protocol/request-header.ts'
import { seededRandom } from '../../src/random.ts'

const written = (write: (writer: ByteWriter) => void): Buffer => {
  const writer = new ByteWriter()
  write(writer)
  return Buffer.from(writer.toBytes())
}

describe('a request header', () => {
  test('has tagged fields from the first flexible version on, and a client id of classic form in both', () => {
    const header = { apiKey: 1, apiVersion: 11, correlationId: 7, clientId: 'me' }
    expect(written((w) => writeRequestHeader(w, header)).toString('hex')).toBe('0001000b0000000700026d65')
    expect(written((w) => writeRequestHeader(w, { ...header, apiVersion: 12 })).toString('hex')).toBe('0001000c0000000700026d6500')
    expect(written((w) => writeRequestHeader(w, { ...header, clientId: null })).toString('hex')).toBe('0001000b00000007ffff')
  })

  test('comes back, with the reader at the body', () => {
    for (const { key, minVersion, maxVersion } of API_KEYS) {
      for (let apiVersion = minVersion; apiVersion <= maxVersion; apiVersion++) {
        const header = { apiKey: key, apiVersion, correlationId: 5 - key, clientId: key % 2 === 0 ? null : 'ümlaut' }
        const reader = new ByteReader(written((w) => writeRequestHeader(w, header)))
        expect(readRequestHeader(reader)).toEqual(header)
        reader.expectEnd()
      }
    }
  })

  test('may carry tagged fields that nobody knows', () => {
    const reader = new ByteReader(Buffer.from('0001000c00000007ffff' + '020001aa0502bbcc' + 'ee', 'hex'))
    expect(readRequestHeader(reader).apiVersion).toBe(12)
    expect(reader.remaining).toBe(1)
  })

  test('of an API that is not known is read up to the client id', () => {
    const reader = new ByteReader(Buffer.from('7fff000000000001ffff', 'hex'))
    expect(readRequestHeader(reader)).toEqual({ apiKey: 0x7fff, apiVersion: 0, correlationId: 1, clientId: null })
  })

  test('refuses a client id that its length cannot tell', () => {
    expect(() =>
      written((w) => writeRequestHeader(w, { apiKey: 1, apiVersion: 4, correlationId: 0, clientId: 'a'.repeat(32_768) })),
    ).toThrow('a clientId takes at most 32767 bytes')
  })

  test('of random bytes is read or refused', () => {
    const random = seededRandom(5)
    for (let i = 0; i < 20_000; i++) {
      const reader = new ByteReader(
        Uint8Array.from({ length: random.below(40) }, () => (random.below(3) === 0 ? random.below(256) : random.below(3))),
      )
      try {
        readRequestHeader(reader)
      } catch (error) {
        expect(error).toMatchObject({ name: 'MillraceError', code: 'INVALID_REQUEST' })
      }
    }
  })
})

describe('a response header', () => {
  test('has tagged fields from the first flexible version on, but never for ApiVersions', () => {
    expect(written((w) => writeResponseHeader(w, 1, 11, 7)).toString('hex')).toBe('00000007')
    expect(written((w) => writeResponseHeader(w, 1, 12, 7)).toString('hex')).toBe('0000000700')
    expect(written((w) => writeResponseHeader(w, 18, 4, 7)).toString('hex')).toBe('00000007')
    expect(readResponseHeader(new ByteReader(Buffer.from('0000000700', 'hex')), 1, 12)).toBe(7)
    const reader = new ByteReader(Buffer.from('0000000700', 'hex'))
    expect(readResponseHeader(reader, 18, 3)).toBe(7)
    expect(reader.remaining).toBe(1)
  })

  test('goes with the request header, but for ApiVersions', () => {
    for (const { key, minVersion, maxVersion, flexibleFrom } of API_KEYS) {
      for (let version = minVersion; version <= maxVersion; version++) {
        expect(requestHeaderVersion(key, version)).toBe(version >= flexibleFrom ? 2 : 1)
        expect(responseHeaderVersion(key, version)).toBe(version >= flexibleFrom && key !== 18 ? 1 : 0)
      }
    }
    expect(requestHeaderVersion(18, 3)).toBe(2)
    // SaslHandshake has no flexible version.
    expect(requestHeaderVersion(17, 1)).toBe(1)
  })
})

test('a version that is not known gets no answer, but for ApiVersions', () => {
  expect(responseVersion(1, 18)).toBe(18)
  expect(responseVersion(1, 19)).toBeUndefined()
  expect(responseVersion(0, 2)).toBeUndefined()
  expect(responseVersion(18, 5)).toBe(5)
  expect(responseVersion(18, 99)).toBe(0)
  expect(responseVersion(4, 0)).toBeUndefined()
})
