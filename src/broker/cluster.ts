// The brokers of one millrace, as the thread that opened it sees them: starts their
// threads, starts them again when they die, and lets other threads attach.
// Runs on the opener's thread. It is not on any record's road, and not needed for
// failover among living brokers: while this thread is blocked, they go on.
// Holds: every thread, port and bell given out is taken back by `close`, which ends.

import { threadId as ownThreadId } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { assert } from '../assert.ts'
import { listenForAttach } from '../actor/attach-port.ts'
import type { AttachAddress } from '../actor/attach-port.ts'
import { connectControl, exposeControl, transferred } from '../actor/control-channel.ts'
import type { ControlClient, ControlServer, Transferred } from '../actor/control-channel.ts'
import { newMessageChannel } from '../actor/port-pair.ts'
import type { NewPortPair } from '../actor/port-pair.ts'
import { Supervisor } from '../actor/supervisor.ts'
import type { SupervisionPolicy } from '../actor/supervisor.ts'
import type { SpawnedThread, ThreadExit, ThreadSpawner } from '../actor/worker-thread.ts'
import { entryBeside } from '../actor/worker-thread.ts'
import { Bells, THREAD_KIND_BROKER, THREAD_KIND_CLIENT } from '../bells.ts'
import type { Clock } from '../clock.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { MillraceError } from '../errors.ts'
import { threadId } from '../ids.ts'
import type { Attachment, BrokerConnection, BrokerInit, HostControl, HostedBrokerControl, ThreadBell } from './broker-control.ts'
import type { Random } from '../random.ts'
import { BrokerRestarts } from './broker-restarts.ts'
import { BrokerTable } from './broker-table.ts'
import type { LogDirectoryLayout } from '../io/io-control.ts'
import { IoHost } from './io-host.ts'
import type { IoEvent } from './io-init.ts'
import { allocateProcessMemory } from './process-memory.ts'
import type { ProcessMemory } from './process-memory.ts'

export interface ClusterOptions {
  readonly brokers: number
  readonly logMemoryBytes: number
  readonly partitionsMax: number
  readonly idleStrategy: 'park' | 'spin'
  /** Of all brokers; only what was set. */
  readonly config?: Readonly<Partial<BrokerConfig>>
  /** Where logs have their files; without it they are in memory only. */
  readonly dataDir?: string | undefined
  /** The worker entry; beside this module unless a bundler has moved it. */
  readonly workerUrl: URL | undefined
  readonly clock: Clock
  readonly random: Random
  readonly spawner: ThreadSpawner
  /** Set where the spawner starts no threads of Node.js: everybody then lives in this one, and only here may be attached. */
  readonly local?: { readonly newPortPair: NewPortPair; readonly name: string } | undefined
  /** How often a broker may die before it is given up; RESTARTS unless said. */
  readonly restarts?: SupervisionPolicy
  /** Kafka: metadata.log.max.record.bytes.between.snapshots; BYTES_BETWEEN_SNAPSHOTS unless said. */
  readonly metadataLogMaxRecordBytesBetweenSnapshots?: number
  readonly onEvent: (event: ClusterEvent) => void
}

/** What became of a broker thread, for logs. */
export type ClusterEvent =
  | { readonly type: 'brokerDied'; readonly brokerId: number; readonly incarnation: number; readonly error: Error | undefined }
  | { readonly type: 'brokerRestarted'; readonly brokerId: number; readonly incarnation: number }
  | { readonly type: 'brokerGivenUp'; readonly brokerId: number }
  | IoEvent

interface HostedBroker {
  readonly brokerId: number
  readonly incarnation: number
  readonly bell: ThreadBell
  readonly thread: SpawnedThread
  readonly control: ControlClient<HostedBrokerControl>
}

/** A broker that dies so often in a row is not started again. */
const RESTARTS: SupervisionPolicy = { maxRestarts: 10, withinMs: 60_000 }
/**
 * Kafka's is 20 MiB, of disk. Here it is log memory, of which the smallest has 16 MiB, and what a
 * thread that attaches must replay, which for so many takes some ten milliseconds.
 */
const BYTES_BETWEEN_SNAPSHOTS = 1024 * 1024
const CLOSE_TIMEOUT_MS = 5_000

export class Cluster {
  readonly #options: ClusterOptions
  readonly #newPortPair: NewPortPair
  readonly #memory: ProcessMemory
  readonly #bells: Bells
  readonly #table: BrokerTable
  readonly #living = new Map<number, HostedBroker>()
  /** By broker id: the incarnation that was started last. */
  readonly #incarnations: number[]
  readonly #givenUp = new Set<number>()
  readonly #io: IoHost | undefined
  #logDirectories: LogDirectoryLayout | undefined
  /** Attached threads that wait for a broker to be started again: they look once more. */
  #awaiting: (() => void)[] = []
  readonly #supervisors: Supervisor[] = []
  readonly #restarts: BrokerRestarts
  #address: AttachAddress | undefined
  #stopListening: () => void = () => undefined
  /** The threads that are attached. */
  readonly #attached = new Set<ControlServer>()
  #closing: Promise<void> | undefined

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options)
    try {
      await cluster.#startAll()
    } catch (error) {
      await cluster.close({ timeoutMs: 0 })
      throw error
    }
    return cluster
  }

  private constructor(options: ClusterOptions) {
    this.#options = options
    this.#newPortPair = options.local?.newPortPair ?? newMessageChannel
    this.#memory = allocateProcessMemory(options, options.random.uint32())
    if (options.local !== undefined) Bells.keepLocal(this.#memory.bells)
    this.#bells = new Bells(this.#memory.bells)
    this.#table = new BrokerTable(this.#memory.brokers)
    this.#incarnations = new Array<number>(options.brokers).fill(1)
    this.#restarts = new BrokerRestarts({
      clock: options.clock,
      isAnyAlive: () => this.#living.size > 0,
      restart: (brokerId) => this.#startAgain(brokerId),
    })
    this.#io = options.dataDir === undefined ? undefined : this.#startIo(options.dataDir)
    for (let id = 0; id < options.brokers; id++) this.#supervisors.push(new Supervisor(options.clock, options.restarts ?? RESTARTS))
  }

  /** Where other threads attach. */
  get address(): AttachAddress {
    assert(this.#address !== undefined, 'a cluster that has started has an address')
    return this.#address
  }

  /** Brokers whose threads live, by id, with the worker_threads id of each. */
  get brokers(): { brokerId: number; incarnation: number; threadId: number }[] {
    return [...this.#living.values()].map(({ brokerId, incarnation, thread }) => ({ brokerId, incarnation, threadId: thread.threadId }))
  }

  /** Kills a broker's thread where it stands: for fault tests and demonstrations. */
  async terminateBroker(brokerId: number): Promise<void> {
    await this.#living.get(brokerId)?.thread.terminate()
  }

  /** Kills the I/O thread where it stands: for fault tests. */
  async terminateIo(): Promise<void> {
    await this.#io?.thread.terminate()
  }

  /** Asks every broker to finish its turn, then ends their threads; a second call waits for the first. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#stopListening()
    this.#restarts.cancel()
    this.#table.beginClosing()
    const brokers = [...this.#living.values()]
    const stopped = Promise.allSettled(brokers.map((broker) => broker.control.calls.stop()))
    const late = new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(timeoutMs, resolve, { ref: true })
      void stopped.then(() => timer.cancel())
    })
    await Promise.race([stopped, late])
    await this.#io?.close(timeoutMs)
    this.#tellOver()
    await Promise.allSettled(brokers.map((broker) => broker.thread.terminate()))
  }

  /** No broker runs any more, nor will: whoever is still attached hears that it is over. */
  #tellOver(): void {
    this.#lookAgain()
    for (const server of [...this.#attached]) server.close()
  }

  #lookAgain(): void {
    for (const look of this.#awaiting.splice(0)) look()
  }

  #startIo(dataDir: string): IoHost {
    const { brokers, config = {}, spawner, clock, workerUrl, restarts = RESTARTS, onEvent } = this.#options
    const connectAll = (): void => {
      for (const { control } of this.#living.values()) {
        const port = this.#io!.connect()
        void control
          .with({ transfer: [port], hold: false })
          .connectIo(port)
          .catch(() => port.close())
      }
    }
    const holder = newToken(this.#options.random)
    const options = { memory: this.#memory, bells: this.#bells, dataDir, brokers, config, spawner, clock, workerUrl, holder, restarts }
    return new IoHost({ ...options, onEvent, onAgain: connectAll })
  }

  // --- brokers ------------------------------------------------------------------

  async #startAll(): Promise<void> {
    const { brokers } = this.#options
    const peers: BrokerInit['peers'][number][][] = Array.from({ length: brokers }, () => [])
    for (let a = 0; a < brokers; a++) {
      for (let b = a + 1; b < brokers; b++) {
        const { port1, port2 } = this.#newPortPair()
        peers[a]!.push({ brokerId: b, incarnation: 1, port: port1 })
        peers[b]!.push({ brokerId: a, incarnation: 1, port: port2 })
      }
    }
    const started = peers.map((own, brokerId) => this.#spawn(brokerId, 1, own, brokerId === 0))
    // Behind the threads: where chance from the machine comes from takes long to load, and they start meanwhile.
    const token = newToken(this.#options.random) + (this.#options.local?.name ?? '')
    this.#stopListening = listenForAttach(token, (port, from) => this.#accept(port, from), this.#newPortPair)
    this.#address = { token, threadId: ownThreadId }
    // Why a directory cannot be opened is said before what follows from it.
    this.#logDirectories = await this.#io?.ready()
    await Promise.all(started.map((broker) => this.#readyOrDead(broker)))
  }

  async #readyOrDead(broker: HostedBroker): Promise<void> {
    try {
      await broker.control.calls.ready()
    } catch (cause) {
      // Its ports close before its end is reported, and only that says why.
      const hasEnded = cause instanceof MillraceError && cause.code === 'THREAD_DIED'
      const reason = ((hasEnded ? (await broker.thread.join()).error : undefined) ?? cause) as Error
      const isMissing = (reason as { code?: string }).code?.endsWith('MODULE_NOT_FOUND') === true
      const remedy = isMissing ? '; a bundler may have moved its file: bundle millrace/worker as a second entry and pass workerUrl' : ''
      throw new MillraceError('BROKER_NOT_AVAILABLE', `broker ${broker.brokerId} did not start: ${reason.message}${remedy}`, {
        cause: reason,
      })
    }
  }

  #spawn(brokerId: number, incarnation: number, peers: BrokerInit['peers'], bootstrap: boolean): HostedBroker {
    const { idleStrategy, spawner, workerUrl, config = {} } = this.#options
    const bell = this.#bells.claim(THREAD_KIND_BROKER)
    const { port1, port2 } = this.#newPortPair()
    this.#incarnations[brokerId] = incarnation
    const incarnations = [...this.#incarnations]
    const memory = this.#memory
    const self = { brokerId, incarnation, bell }
    const metadataLogMaxRecordBytesBetweenSnapshots = this.#options.metadataLogMaxRecordBytesBetweenSnapshots ?? BYTES_BETWEEN_SNAPSHOTS
    const ioPort = this.#io?.connect()
    const own = { ...self, hostPort: port2, ioPort, peers, incarnations, bootstrap }
    const workerData: BrokerInit = { ...own, memory, idleStrategy, config, metadataLogMaxRecordBytesBetweenSnapshots }
    const thread = spawner.spawn({
      name: `millrace broker ${brokerId}`,
      entry: workerUrl ?? entryBeside('./worker-main', import.meta.url),
      workerData,
      transfer: [port2, ...(ioPort === undefined ? [] : [ioPort]), ...peers.map((peer) => peer.port)],
    })
    const control = connectControl<HostedBrokerControl>(port1, { name: `broker ${brokerId}` })
    const broker: HostedBroker = { brokerId, incarnation, bell, thread, control }
    this.#living.set(brokerId, broker)
    thread.onExit((exit) => this.#onExit(broker, exit))
    return broker
  }

  #onExit(broker: HostedBroker, exit: ThreadExit): void {
    const { brokerId, incarnation, bell } = broker
    this.#bells.release(threadId(bell.id), bell.incarnation)
    if (this.#living.get(brokerId) === broker) this.#living.delete(brokerId)
    if (this.#closing !== undefined) return
    this.#options.onEvent({ type: 'brokerDied', brokerId, incarnation, error: exit.error })
    if (this.#supervisors[brokerId]!.onFailure(exit.error) === 'restart') this.#restarts.add(brokerId)
    else this.#giveUp(brokerId)
    this.#restarts.look()
  }

  #giveUp(brokerId: number): void {
    this.#givenUp.add(brokerId)
    this.#table.giveUp(brokerId)
    this.#options.onEvent({ type: 'brokerGivenUp', brokerId })
    if (this.#areAllGivenUp) this.#tellOver()
    else this.#lookAgain()
  }

  #startAgain(brokerId: number): void {
    const incarnation = this.#incarnations[brokerId]! + 1
    const peers: BrokerInit['peers'][number][] = []
    for (const other of this.#living.values()) {
      const { port1, port2 } = this.#newPortPair()
      peers.push({ brokerId: other.brokerId, incarnation: other.incarnation, port: port1 })
      // If it is dead already, nobody has taken the other end: closing it tells the new broker.
      void other.control
        .with({ transfer: [port2] })
        .connectPeer(brokerId, incarnation, port2)
        .catch(() => port2.close())
    }
    const again = this.#spawn(brokerId, incarnation, peers, false)
    this.#lookAgain()
    again.control.calls.ready().then(
      () => this.#options.onEvent({ type: 'brokerRestarted', brokerId, incarnation }),
      () => undefined,
    )
  }

  // --- attached threads -----------------------------------------------------------

  #accept(port: MessagePort, fromThreadId: number): void {
    if (this.#options.local !== undefined && fromThreadId !== ownThreadId)
      throw new MillraceError('INVALID_REQUEST', 'this millrace runs inline, in the thread that opened it: no other thread can attach')
    let bell: ThreadBell | undefined
    const api: HostControl = {
      attach: () => {
        if (this.#areAllGivenUp) throw new MillraceError('BROKER_NOT_AVAILABLE', 'every broker died too often and was given up')
        bell = this.#bells.claim(THREAD_KIND_CLIENT)
        const brokers = [...this.#living.values()].map((broker) => this.#connectClient(broker, bell!))
        const attachment: Attachment = {
          memory: this.#memory,
          bell,
          config: this.#options.config ?? {},
          logDirectories: this.#logDirectories,
          brokers,
        }
        return transferred(
          attachment,
          brokers.map((broker) => broker.port),
        ) as Transferred<Attachment> & Attachment
      },
      connectBroker: async (brokerId, lostIncarnation) => {
        const broker = await this.#successor(brokerId, lostIncarnation)
        if (broker === undefined || bell === undefined) return undefined
        const connected = this.#connectClient(broker, bell)
        return transferred(connected, [connected.port]) as Transferred<BrokerConnection> & BrokerConnection
      },
    }
    const server = exposeControl(port, api)
    this.#attached.add(server)
    server.onClose(() => {
      this.#attached.delete(server)
      if (bell !== undefined) this.#bells.release(threadId(bell.id), bell.incarnation)
    })
  }

  get #areAllGivenUp(): boolean {
    return this.#givenUp.size === this.#options.brokers
  }

  /** The broker when it runs as a later incarnation than the lost one; undefined when it never will. */
  async #successor(brokerId: number, lostIncarnation: number): Promise<HostedBroker | undefined> {
    for (;;) {
      const broker = this.#living.get(brokerId)
      if (broker !== undefined && broker.incarnation > lostIncarnation) return broker
      if (!(brokerId < this.#options.brokers) || this.#givenUp.has(brokerId) || this.#closing !== undefined) return undefined
      await new Promise<void>((look) => this.#awaiting.push(look))
    }
  }

  #connectClient({ brokerId, incarnation, bell: { id: thread }, control }: HostedBroker, bell: ThreadBell): BrokerConnection {
    const { port1, port2 } = this.#newPortPair()
    // If the broker is dead already, nobody has taken the other end: closing it tells the client.
    void control
      .with({ transfer: [port2], hold: false })
      .acceptClient(bell, port2)
      .catch(() => port2.close())
    return { brokerId, incarnation, thread, port: port1 }
  }
}

/** Nobody guesses 128 bits. */
function newToken(random: Random): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
}
