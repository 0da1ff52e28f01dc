// How a broker comes to lead the metadata log and the log of its snapshots. Runs on the
// broker's thread.
// Holds: nobody but the leader of the metadata log leads the snapshots; what files hold of
// the cluster is in the log of the snapshots before anybody can see the metadata log led.

import type { Bells } from '../bells.ts'
import type { RecoveredMetadata } from '../io/io-control.ts'
import { ControlBlock, NO_LEADER_WORD, hasLeader, leaderBrokerOf, leaderEpochOf } from '../log/control-block.ts'
import type { ExtentAllocator } from '../log/extent-allocator.ts'
import type { LogMemory } from '../log/log-memory.ts'
import { RETENTION_INTERNAL } from '../log/log-memory-layout.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { initialiseSlot } from '../log/partition-table.ts'
import { MetadataLog } from '../metadata/metadata-log.ts'
import { CLUSTER_METADATA_SLOT, CLUSTER_METADATA_TOPIC_ID, METADATA_SNAPSHOT_SLOT } from '../metadata/metadata-records.ts'

export interface MetadataLeadOptions {
  readonly brokerId: number
  readonly memory: LogMemory
  readonly allocator: ExtentAllocator
  readonly bells: Bells
  readonly bytesBetweenSnapshots: number
  readonly ringIo: () => void
}

export class MetadataLead {
  readonly #options: MetadataLeadOptions
  #recovered: RecoveredMetadata | undefined
  /** As this broker leads it. */
  #log: MetadataLog | undefined

  constructor(options: MetadataLeadOptions) {
    this.#options = options
  }

  /** The broker that leads the metadata log; undefined before there is one. */
  get leader(): number | undefined {
    const { leaderWord } = this
    return hasLeader(leaderWord) ? leaderBrokerOf(leaderWord) : undefined
  }

  get leaderWord(): bigint {
    return this.#control(CLUSTER_METADATA_SLOT).leaderWord()
  }

  /** Whether this broker leads the metadata log, as it does until it ends. */
  get isHeld(): boolean {
    return this.#log !== undefined
  }

  /** What files hold of the cluster: the metadata log itself is there already, and begins behind it. */
  recovered(metadata: RecoveredMetadata): void {
    this.#recovered = metadata
  }

  /** The first broker of a millrace that is opened makes it, and the log of its snapshots. */
  make(): void {
    const { memory } = this.#options
    for (const slot of this.#recovered === undefined ? [METADATA_SNAPSHOT_SLOT, CLUSTER_METADATA_SLOT] : [METADATA_SNAPSHOT_SLOT]) {
      initialiseSlot(memory, slot, CLUSTER_METADATA_TOPIC_ID, slot, RETENTION_INTERNAL)
    }
  }

  /** Takes the lead of the metadata log from the one that `word` names, who is dead; undefined when another broker was faster. */
  take(word: bigint): MetadataLog | undefined {
    const { brokerId, memory, allocator, bells, bytesBetweenSnapshots, ringIo } = this.#options
    const control = this.#control(CLUSTER_METADATA_SLOT)
    const epoch = word === NO_LEADER_WORD ? 0 : leaderEpochOf(word) + 1
    if (!control.tryLead(word, brokerId, epoch)) return undefined
    const log = MemoryLog.open(control, memory, allocator, epoch)
    // Nobody else can have tried: the one that leads the metadata log leads its snapshots.
    const snapshotControl = this.#control(METADATA_SNAPSHOT_SLOT)
    snapshotControl.tryLead(snapshotControl.leaderWord(), brokerId, epoch)
    const snapshots = MemoryLog.open(snapshotControl, memory, allocator, epoch)
    if (snapshots.endOffset === 0) for (const batch of this.#recovered?.snapshot ?? []) snapshots.append(batch, 0, batch.length)
    snapshots.advance()
    // Clients wait here for a controller.
    control.ringWaiters(bells)
    this.#log = new MetadataLog({ log, snapshots, control, bells, bytesBetweenSnapshots, ringIo })
    return this.#log
  }

  /** Something of the metadata log was written to files, or could not be. */
  filesMoved(): void {
    this.#log?.filesMoved()
  }

  #control(slot: number): ControlBlock {
    return new ControlBlock(this.#options.memory, slot)
  }
}
