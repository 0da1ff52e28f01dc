// A millrace whose broker threads can be made to fail, opened as `openMillrace` opens
// one: only the spawner differs, which gives each broker its fault words.

import type { ResourceLimits } from 'node:worker_threads'
import type { SpawnThreadOptions, SpawnedThread, ThreadSpawner } from '../../src/actor/worker-thread.ts'
import { workerThreadSpawner } from '../../src/actor/worker-thread.ts'
import type { ClusterEvent, ClusterOptions } from '../../src/broker/cluster.ts'
import { Cluster } from '../../src/broker/cluster.ts'
import type { BrokerInit } from '../../src/broker/broker-control.ts'
import type { IoInit } from '../../src/broker/io-init.ts'
import type { Bells } from '../../src/bells.ts'
import { AttachedMillrace } from '../../src/client/millrace.ts'
import { systemClock } from '../../src/clock.ts'
import type { AttachOptions } from '../../src/engine/embedded-engine.ts'
import { EmbeddedEngine } from '../../src/engine/embedded-engine.ts'
import { leaderBrokerOf } from '../../src/log/control-block.ts'
import { systemRandom } from '../../src/random.ts'
import { bundledEntry } from '../setup/bundled-entry.ts'
import { FaultWords } from './fault-words.ts'

const brokerEntry = await bundledEntry(new URL('./faulty-broker.ts', import.meta.url))

type PassedOn =
  | 'brokers'
  | 'dataDir'
  | 'partitionsMax'
  | 'logMemoryBytes'
  | 'idleStrategy'
  | 'restarts'
  | 'metadataLogMaxRecordBytesBetweenSnapshots'

export interface FaultyOptions extends Partial<Pick<ClusterOptions, PassedOn>> {
  /** Of the brokers; with a dataDir `millrace.durability` is 'cache' unless said. */
  readonly config?: ClusterOptions['config']
  /** Of brokers alone. */
  readonly resourceLimits?: ResourceLimits
  readonly attach?: Omit<AttachOptions, 'clock'>
}

export class FaultyMillrace {
  readonly cluster: Cluster
  readonly engine: EmbeddedEngine
  readonly millrace: AttachedMillrace
  readonly faults: FaultWords
  /** What became of broker threads, oldest first. */
  readonly events: ClusterEvent[]
  readonly #changed: { waiting: (() => void)[] }

  static async open(options: FaultyOptions = {}): Promise<FaultyMillrace> {
    const faults = new FaultWords()
    const events: ClusterEvent[] = []
    const changed = { waiting: [] as (() => void)[] }
    const cluster = await Cluster.start({
      brokers: options.brokers ?? 1,
      logMemoryBytes: options.logMemoryBytes ?? 256 * 1024 * 1024,
      partitionsMax: options.partitionsMax ?? 1_024,
      idleStrategy: options.idleStrategy ?? 'park',
      config: { ...(options.dataDir === undefined ? {} : { 'millrace.durability': 'cache' as const }), ...options.config },
      dataDir: options.dataDir,
      workerUrl: brokerEntry,
      clock: systemClock,
      random: systemRandom,
      spawner: new FaultySpawner(faults, options.resourceLimits),
      onEvent: (event) => {
        events.push(event)
        for (const look of changed.waiting.splice(0)) look()
      },
      ...(options.restarts === undefined ? {} : { restarts: options.restarts }),
      ...(options.metadataLogMaxRecordBytesBetweenSnapshots === undefined
        ? {}
        : { metadataLogMaxRecordBytesBetweenSnapshots: options.metadataLogMaxRecordBytesBetweenSnapshots }),
    })
    const engine = await EmbeddedEngine.attach(cluster.address, { clock: systemClock, ...options.attach })
    return new FaultyMillrace(cluster, engine, faults, events, changed)
  }

  private constructor(
    cluster: Cluster,
    engine: EmbeddedEngine,
    faults: FaultWords,
    events: ClusterEvent[],
    changed: { waiting: (() => void)[] },
  ) {
    this.cluster = cluster
    this.engine = engine
    this.faults = faults
    this.events = events
    this.#changed = changed
    this.millrace = new AttachedMillrace(engine, { kind: 'millrace', ...cluster.address }, { cluster })
  }

  get bells(): Bells {
    return this.engine.bells
  }

  /** The broker that leads the metadata log now. */
  get activeController(): number {
    return leaderBrokerOf(this.engine.controlBlock(0).leaderWord())
  }

  count(type: ClusterEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }

  /** Resolves when so many events of the type have come, since the opening. */
  async happened(type: ClusterEvent['type'], count: number): Promise<void> {
    while (this.count(type) < count) await new Promise<void>((look) => this.#changed.waiting.push(look))
  }

  /**
   * Makes the broker fail at the point: waits until it does, terminates it if it stands there,
   * and resolves when the thread has ended.
   */
  async bite(brokerId: number, seen: number): Promise<void> {
    await this.faults.bitten(brokerId, seen)
    await this.kill(brokerId)
  }

  /** Terminates a broker's thread where it is. */
  async kill(brokerId: number): Promise<void> {
    const { incarnation } = this.broker(brokerId)
    await this.cluster.terminateBroker(brokerId)
    await this.died(brokerId, incarnation)
  }

  async died(brokerId: number, incarnation: number): Promise<void> {
    const isIt = (event: ClusterEvent): boolean =>
      event.type === 'brokerDied' && event.brokerId === brokerId && event.incarnation === incarnation
    while (!this.events.some(isIt)) await new Promise<void>((look) => this.#changed.waiting.push(look))
  }

  broker(brokerId: number): { brokerId: number; incarnation: number; threadId: number } {
    const found = this.cluster.brokers.find((broker) => broker.brokerId === brokerId)
    if (found === undefined) throw new Error(`broker ${brokerId} is not alive`)
    return found
  }

  close(options?: { timeoutMs?: number }): Promise<void> {
    return this.millrace.close(options)
  }
}

class FaultySpawner implements ThreadSpawner {
  readonly #faults: FaultWords
  readonly #limits: ResourceLimits | undefined

  constructor(faults: FaultWords, limits: ResourceLimits | undefined) {
    this.#faults = faults
    this.#limits = limits
  }

  spawn(options: SpawnThreadOptions): SpawnedThread {
    const workerData = { ...(options.workerData as BrokerInit | IoInit), faults: this.#faults.words.buffer }
    const limits = this.#limits === undefined || 'io' in workerData ? {} : { resourceLimits: this.#limits }
    return workerThreadSpawner.spawn({ ...options, workerData, ...limits })
  }
}
