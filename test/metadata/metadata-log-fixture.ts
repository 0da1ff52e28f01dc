// The metadata log and its snapshots in log memory, written by one broker after the other,
// all on this thread.

import { Bells, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import type { ThreadId } from '../../src/ids.ts'
import { killPoints } from '../../src/kill-points.ts'
import type { KillPoint } from '../../src/kill-points.ts'
import { ControlBlock } from '../../src/log/control-block.ts'
import { RETENTION_INTERNAL } from '../../src/log/log-memory-layout.ts'
import { MetadataLoader } from '../../src/metadata/metadata-loader.ts'
import { MetadataLog } from '../../src/metadata/metadata-log.ts'
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts'
import { CLUSTER_METADATA_SLOT, METADATA_SNAPSHOT_SLOT } from '../../src/metadata/metadata-records.ts'
import { LogFixture } from '../log/log-fixture.ts'

class Death extends Error {}

export class MetadataLogFixture {
  readonly logs = new LogFixture({ brokers: 0 })
  readonly bells = new Bells(Bells.allocate())
  readonly thread: ThreadId = this.bells.claim(THREAD_KIND_CLIENT).id
  readonly bytesBetweenSnapshots: number
  /** As the controller has it. */
  loader: MetadataLoader
  log: MetadataLog
  #leaderEpoch = 0

  constructor(bytesBetweenSnapshots = 1024 * 1024) {
    this.bytesBetweenSnapshots = bytesBetweenSnapshots
    for (const slot of [METADATA_SNAPSHOT_SLOT, CLUSTER_METADATA_SLOT]) this.logs.partition(slot, RETENTION_INTERNAL)
    ;({ loader: this.loader, log: this.log } = this.#takeOver())
  }

  get control(): ControlBlock {
    return new ControlBlock(this.logs.memory, CLUSTER_METADATA_SLOT)
  }

  newLoader(): MetadataLoader {
    return new MetadataLoader(this.logs.memory)
  }

  commit(records: readonly MetadataRecord[]): void {
    if (!this.log.append(records, 1)) throw new Error('log memory is full')
    this.loader.loadUncommitted()
    this.log.publish()
    this.loader.load()
    this.log.keepBounded(this.loader.image, 1)
  }

  /** The controller dies at the point during the commit, and another broker takes over. */
  dieAt(point: KillPoint, records: readonly MetadataRecord[]): void {
    killPoints.hook = (passed) => {
      if (passed === point) throw new Death(point)
    }
    try {
      this.commit(records)
      throw new Error(`the commit did not come to ${point}`)
    } catch (error) {
      if (!(error instanceof Death)) throw error
    } finally {
      killPoints.hook = undefined
    }
    const dead = this.logs.brokers[0]!
    ;({ loader: this.loader, log: this.log } = this.#takeOver())
    this.logs.brokers[0]!.allocator.adopt(dead.id, dead.epoch, (slot) => slot <= METADATA_SNAPSHOT_SLOT)
    this.loader.load()
    this.loader.loadUncommitted()
    this.log.publish()
    this.loader.load()
  }

  #takeOver(): { loader: MetadataLoader; log: MetadataLog } {
    const broker = this.logs.startBroker(0)
    this.#leaderEpoch++
    const log = broker.lead(CLUSTER_METADATA_SLOT, this.#leaderEpoch)
    const snapshots = broker.lead(METADATA_SNAPSHOT_SLOT, this.#leaderEpoch)
    snapshots.advance()
    const { control, bells, bytesBetweenSnapshots } = this
    return {
      loader: this.newLoader(),
      log: new MetadataLog({ log, snapshots, control, bells, bytesBetweenSnapshots, ringIo: () => undefined }),
    }
  }
}
