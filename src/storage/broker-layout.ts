// Which brokers' log directories a data directory holds, and whether they are one cluster's. Reads and
// refuses; makes what is missing. On the thread that opens the data directory.
//
//   dataDir/broker-0/meta.properties      node.id=0  ┐ one cluster.id
//   dataDir/broker-1/meta.properties      node.id=1  ┘ a directory.id each
//
//   dataDir/meta.properties               node.id=n: the directory of one Kafka broker, opened as it is

import type { Disk } from '../disk/disk.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { MillraceError } from '../errors.ts'
import { formatTopicId } from '../ids.ts'
import type { Random } from '../random.ts'
import { readText, writeBootFile } from './broker-directory.ts'
import { decodeMetaProperties, encodeMetaProperties, META_PROPERTIES_FILE } from './meta-properties.ts'
import type { MetaProperties } from './meta-properties.ts'
import { parsePartitionDirectoryName } from './partition-directory-name.ts'

const BROKER_DIRECTORY = /^broker-(0|[1-9]\d*)$/

/** A log directory of the data directory. */
export interface BrokerPlace {
  readonly path: string
  /** Of `meta.properties`; undefined: to be made. */
  readonly meta: MetaProperties | undefined
  readonly nodeId: number
}

/** By node id, rising. Throws INVALID_CONFIG, INCONSISTENT_CLUSTER_ID, KAFKA_STORAGE_ERROR, UNSUPPORTED_VERSION. Changes nothing. */
export function lookAtLayout(disk: Disk, path: string, brokers: number): BrokerPlace[] {
  const names = disk.list(path)
  const places: BrokerPlace[] = names
    .filter((name) => BROKER_DIRECTORY.test(name))
    .map((name) => brokerPlace(disk, `${path}/${name}`, Number(BROKER_DIRECTORY.exec(name)![1])))
  const made = places.filter(({ meta }) => meta !== undefined).sort((a, b) => a.nodeId - b.nodeId)
  if (names.includes(META_PROPERTIES_FILE)) return [singlePlace(disk, path, brokers, made)]
  const beyond = made.filter(({ nodeId }) => nodeId >= brokers)
  if (beyond.length > 0) throw tooFewBrokers(path, brokers, made, beyond)
  refuseStrangers(made)
  return Array.from({ length: brokers }, (_, nodeId) => {
    const there = made.find((place) => place.nodeId === nodeId)
    return there ?? { path: `${path}/broker-${nodeId}`, meta: undefined, nodeId }
  })
}

/** Makes what is missing; all of it survives a power cut when this returns. */
export function makeMissing(
  disk: Disk,
  path: string,
  places: readonly BrokerPlace[],
  random: Random,
  bootId: string,
  nowMs: number,
): Required<BrokerPlace & { meta: MetaProperties }>[] {
  const clusterId = places.find(({ meta }) => meta !== undefined)?.meta?.clusterId ?? uuid(random)
  const all = places.map(({ path: directory, nodeId, meta }) => {
    if (meta !== undefined) return { path: directory, nodeId, meta }
    disk.makeDirectory(directory, true)
    const made = { clusterId, nodeId, directoryId: uuid(random) }
    // Its own first: a directory that has its meta.properties is whole.
    writeBootFile(disk, directory, bootId, nowMs)
    replaceFile(disk, `${directory}/${META_PROPERTIES_FILE}`, new TextEncoder().encode(encodeMetaProperties(made)))
    return { path: directory, nodeId, meta: made }
  })
  // Also where nothing is missing: a crash may have come between the files and this.
  disk.syncDirectory(path)
  return all
}

/** As Kafka's: random, and none that a shell takes for an option. */
export function uuid(random: Random): string {
  for (;;) {
    const id = formatTopicId([random.uint32(), random.uint32(), random.uint32(), random.uint32()])
    if (!id.startsWith('-')) return id
  }
}

function brokerPlace(disk: Disk, path: string, nodeId: number): BrokerPlace {
  if (!disk.stat(path).isDirectory) throw refused(`${path} is a file, where a broker's directory should be: move it away`)
  const file = `${path}/${META_PROPERTIES_FILE}`
  const text = readText(disk, file)
  if (text !== undefined) return { path, nodeId, meta: decodeMetaProperties(file, text) }
  const partition = disk.list(path).find((name) => parsePartitionDirectoryName(name) !== undefined)
  if (partition === undefined) return { path, nodeId, meta: undefined }
  throw refused(`${file} is missing, and ${path} holds partitions (${partition}): put back a copy, it says whose they are`)
}

/** A Kafka broker's directory, under the node id that it has. */
function singlePlace(disk: Disk, path: string, brokers: number, made: readonly BrokerPlace[]): BrokerPlace {
  const file = `${path}/${META_PROPERTIES_FILE}`
  const [other] = made
  if (other !== undefined) {
    const message = `${path} is the directory of one broker (${META_PROPERTIES_FILE} says so) and also holds ${other.path}: move one of them away`
    throw refused(message)
  }
  if (brokers !== 1) {
    const message = `dataDir ${path} is the log directory of one Kafka broker: open it with brokers: 1, not ${brokers}, or name another directory`
    throw new MillraceError('INVALID_CONFIG', message)
  }
  const meta = decodeMetaProperties(file, readText(disk, file)!)
  return { path, nodeId: meta.nodeId, meta }
}

function refuseStrangers(made: readonly BrokerPlace[]): void {
  const [first] = made
  for (const { path, nodeId, meta } of made) {
    const file = `${path}/${META_PROPERTIES_FILE}`
    if (meta!.nodeId !== nodeId) {
      throw refused(`${file} says node.id=${meta!.nodeId}, and stands in ${path}: give the directory back its name`)
    }
    if (meta!.clusterId !== first!.meta!.clusterId) {
      const said = `${file} says cluster.id=${meta!.clusterId}, ${first!.path}/${META_PROPERTIES_FILE} says ${first!.meta!.clusterId}`
      const message = `${said}: they belong to different clusters, keep them in data directories of their own`
      throw new MillraceError('INCONSISTENT_CLUSTER_ID', message)
    }
    const twin = made.find((one) => one.nodeId < nodeId && meta!.directoryId !== undefined && one.meta!.directoryId === meta!.directoryId)
    if (twin !== undefined) {
      const both = `${file} and ${twin.path}/${META_PROPERTIES_FILE}`
      throw refused(`${both} have the same directory.id: one is a copy of the other, move it away`)
    }
  }
}

function tooFewBrokers(path: string, brokers: number, made: readonly BrokerPlace[], beyond: readonly BrokerPlace[]): MillraceError {
  const needed = made.at(-1)!.nodeId + 1
  const lost = beyond.map(({ nodeId }) => `broker-${nodeId}`).join(', ')
  const message = `dataDir ${path} was written by ${needed} brokers: with brokers: ${brokers} the partitions in ${lost} would be missing`
  return new MillraceError('INVALID_CONFIG', `${message}. Open it with brokers: ${needed} or more`)
}

function refused(message: string): MillraceError {
  return new MillraceError('KAFKA_STORAGE_ERROR', message, { retriable: false })
}
