// A metadata log without memory or threads: records go through their bytes, as a
// successor would read them, and make one image after the other.

import type { TopicId } from '../../src/ids.ts'
import { Controller } from '../../src/metadata/controller.ts'
import { MetadataDelta } from '../../src/metadata/metadata-delta.ts'
import { MetadataImage } from '../../src/metadata/metadata-image.ts'
import { encodeRecord } from '../../src/metadata/metadata-records.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { decodeMetadataRecord } from '../../src/protocol/metadata-record-frame.ts'

export const uuid = (n: number): TopicId => [n, n, n, n]

/** The image that the records make of this one, and what they change. */
export function deltaOf(image: MetadataImage, records: Iterable<MetadataRecord>): MetadataDelta {
  const delta = new MetadataDelta(image)
  let offset = image.offset
  for (const record of records) {
    delta.replay(decodeMetadataRecord(encodeRecord(record)))
    offset++
  }
  delta.apply(offset)
  return delta
}

export class MetadataWorld {
  image = MetadataImage.EMPTY
  readonly controller = new Controller(this)
  readonly records: MetadataRecord[] = []

  constructor(brokers = 0) {
    for (let brokerId = 0; brokerId < brokers; brokerId++) this.register(brokerId, 1)
  }

  apply(records: readonly MetadataRecord[]): MetadataDelta {
    const delta = deltaOf(this.image, records)
    this.image = delta.image
    this.records.push(...records)
    return delta
  }

  register(brokerId: number, incarnation: number): MetadataDelta {
    return this.apply(this.controller.registerBroker({ brokerId, incarnation, incarnationId: uuid(incarnation) }))
  }

  /** Rows of the partition table follow each other, from 2 on. */
  create(name: string, partitions: number, config: Record<string, string> = {}, id = this.records.length): MetadataDelta {
    const rows = [...this.image.topics].reduce((sum, topic) => sum + topic.partitions.length, 2)
    const slots = Array.from({ length: partitions }, (_, i) => rows + i)
    return this.apply(this.controller.createTopic({ name, partitions, config }, uuid(id), slots))
  }

  leaders(name: string): number[] {
    return this.image.topic(name)!.partitions.map((partition) => partition.leader)
  }

  epochs(name: string): number[] {
    return this.image.topic(name)!.partitions.map((partition) => partition.leaderEpoch)
  }
}
