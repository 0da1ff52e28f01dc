// `meta.properties` of a log directory: whose it is. Written once, when the directory is
// formatted. Pure; any thread. A Java properties file (java-properties.ts):
//
//   #
//   version=1
//   cluster.id=4L6g3nShT-eMCtK--X86sw
//   node.id=1
//   directory.id=I2VQ3prYmWtKi63HjZ-xow    KIP-858; directories formatted before it have none
//
// Other keys are read over. Kafka writes the keys in any order, and a date as a comment.

import { assert } from '../assert.ts'
import { MillraceError } from '../errors.ts'
import { parseWholeNumber } from './checkpoint-text.ts'
import { damagedFile, newerFileFormat } from './file-errors.ts'
import { formatProperties, parseProperties } from './java-properties.ts'

export const META_PROPERTIES_FILE = 'meta.properties'

const VERSION = 1
/** Of ZooKeeper's time: it names a broker by `broker.id`. */
const VERSION_OF_ZOOKEEPER = 0
const INT32_MAX = 0x7fff_ffff
const UUID = /^[\w-]{22}$/
const REMEDY = 'Put back a copy: it says whose directory this is.'

export interface MetaProperties {
  readonly clusterId: string
  /** Of the broker, from 0. */
  readonly nodeId: number
  /** 22 characters of base64url; undefined in a directory that was formatted before directories had ids. */
  readonly directoryId: string | undefined
}

export function encodeMetaProperties({ clusterId, nodeId, directoryId }: MetaProperties): string {
  assert(clusterId !== '' && nodeId >= 0, 'a log directory belongs to nobody')
  const entries: [string, string][] = [
    ['version', String(VERSION)],
    ['cluster.id', clusterId],
    ['node.id', String(nodeId)],
  ]
  if (directoryId !== undefined) entries.push(['directory.id', directoryId])
  return formatProperties(entries)
}

/**
 * Throws UNSUPPORTED_VERSION for a newer format, and for that of a Kafka with ZooKeeper;
 * KAFKA_STORAGE_ERROR for text that is none of it.
 */
export function decodeMetaProperties(path: string, text: string): MetaProperties {
  const properties = parseProperties(text)
  checkVersion(path, properties)
  const clusterId = properties.get('cluster.id') ?? ''
  if (clusterId === '') throw damagedFile(path, 'no cluster.id', REMEDY)
  const nodeId = parseWholeNumber(properties.get('node.id') ?? '')
  if (!(nodeId <= INT32_MAX)) throw damagedFile(path, 'no node.id that is a number from 0 to 2147483647', REMEDY)
  const directoryId = properties.get('directory.id')
  if (directoryId !== undefined && !UUID.test(directoryId)) {
    throw damagedFile(path, 'a directory.id that is not 22 characters of base64url', REMEDY)
  }
  return { clusterId, nodeId, directoryId }
}

function checkVersion(path: string, properties: ReadonlyMap<string, string>): void {
  const text = properties.get('version')
  const version = parseWholeNumber(text ?? '')
  if (version > VERSION) throw newerFileFormat(path, version, VERSION)
  // Kafka takes a file without a version for one of version 0.
  if (version === VERSION_OF_ZOOKEEPER || (text === undefined && properties.has('broker.id'))) {
    const remedy = 'let Kafka 3.9 migrate the cluster to KRaft, and open the directory then'
    throw new MillraceError('UNSUPPORTED_VERSION', `${path} is of a Kafka that runs with ZooKeeper: ${remedy}`)
  }
  if (version !== VERSION) throw damagedFile(path, 'no version that is a number', REMEDY)
}
