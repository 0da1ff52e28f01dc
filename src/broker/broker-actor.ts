// One broker: the shell that turns its thread's event loop into duty cycles, and
// answers the control calls of clients, peers and the host.
// Runs on the broker's worker thread. One turn: follow the metadata log, drain lanes, append, move watermarks,
// wake readers, give back acks; then the event loop has its turn.
// Holds: a failed assertion anywhere in a turn ends this thread, and the others take over.

import type { MessagePort } from 'node:worker_threads'
import { ActorSystem } from '../actor/actor-system.ts'
import type { ActorRef } from '../actor/actor-ref.ts'
import { connectControl, exposeControl } from '../actor/control-channel.ts'
import type { ControlClient } from '../actor/control-channel.ts'
import { DutyCycle } from '../actor/duty-cycle.ts'
import { ThreadParker, immediateScheduler } from '../actor/thread-parker.ts'
import type { TurnScheduler } from '../actor/turn-scheduler.ts'
import { Bells } from '../bells.ts'
import type { Clock, Timer } from '../clock.ts'
import { TRANSACTION_SETTINGS } from '../config/broker-transaction-settings.ts'
import { MillraceError } from '../errors.ts'
import { threadId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { LaneReader } from '../lane/lane-reader.ts'
import { hasLeader, leaderBrokerOf } from '../log/control-block.ts'
import { ControllerActor } from '../metadata/controller-actor.ts'
import type { Committed, CreatedTopic, ProducerIdsBlock } from '../metadata/controller-commands.ts'
import type { ControllerMessage } from '../metadata/controller-messages.ts'
import type { Random } from '../random.ts'
import { BrokerLanes } from './broker-lanes.ts'
import type { BrokerControl, BrokerInit, HostedBrokerControl, PeerControl, ThreadBell } from './broker-control.ts'
import { BrokerMetadata } from './broker-metadata.ts'
import { BrokerPartitions } from './broker-partitions.ts'
import { BrokerTable } from './broker-table.ts'
import { controllerEffects } from './controller-effects.ts'
import { GroupDoor } from './group-door.ts'
import { IoLink } from './io-link.ts'
import { PartitionCalls } from './partition-calls.ts'

/** Bytes taken before those who sleep are told, although there is more to take: a few turns. */
const ANNOUNCE_BYTES = 512 * 1024

interface Peer {
  readonly brokerId: number
  readonly incarnation: number
  readonly control: ControlClient<PeerControl>
}

export interface BrokerEnvironment {
  readonly clock: Clock
  readonly random: Random
  /** How this broker gets its turns; those of its thread's event loop unless said. */
  readonly scheduler?: TurnScheduler
  /** The worker_threads id of this thread. */
  readonly workerThread: number
  /** Whether cores are left for spinning. */
  readonly maySpin: () => boolean
  /** The broker cannot go on: its thread must end. */
  readonly onFatal: (error: unknown) => void
}

/** How soon a broker asks again to be registered, when the controller it asked has died. */
const REGISTER_AGAIN_MS = 1

export class BrokerActor implements HostedBrokerControl {
  readonly #init: BrokerInit
  readonly #environment: BrokerEnvironment
  readonly #bells: Bells
  readonly #table: BrokerTable
  readonly #parker: ThreadParker
  readonly #actors: ActorSystem
  readonly #lanes: BrokerLanes
  readonly #partitions: BrokerPartitions
  readonly #io: IoLink | undefined
  readonly #metadata: BrokerMetadata
  readonly #groups: GroupDoor
  readonly #dutyCycle: DutyCycle
  readonly #peers = new Map<number, Peer>()
  /** By broker id: the latest incarnation that this thread was told of, dead or alive. */
  readonly #heardOf: number[]
  readonly #ready: Promise<void>
  /** That of the data directory. */
  #clusterId: TopicId | undefined
  #controller: ActorRef<ControllerMessage> | undefined
  #laterTimer: Timer | undefined
  #expiryTimer: Timer | undefined
  #laterMs = Number.POSITIVE_INFINITY
  #stopping = false
  #hasNews = false
  #unannouncedBytes = 0

  constructor(init: BrokerInit, environment: BrokerEnvironment) {
    this.#init = init
    this.#heardOf = [...init.incarnations]
    this.#environment = environment
    const { clock, scheduler = immediateScheduler } = environment
    this.#bells = new Bells(init.memory.bells)
    this.#table = new BrokerTable(init.memory.brokers)
    this.#parker = new ThreadParker(this.#bells, threadId(init.bell.id))
    this.#actors = new ActorSystem({ clock, scheduler, onEscalate: ({ error }) => environment.onFatal(error) })
    this.#lanes = new BrokerLanes(this.#bells, {
      onBatch: (lane, bytes, start, end) => this.#onBatch(lane, bytes, start, end),
      onCorruptLane: () => undefined,
    })
    this.#io = init.ioPort === undefined ? undefined : new IoLink(init.ioPort, () => this.#dutyCycle.wake())
    this.#partitions = new BrokerPartitions(init, this.#bells, this.#table, clock, this.#io)
    this.#metadata = new BrokerMetadata({
      brokerId: init.brokerId,
      incarnation: init.incarnation,
      thread: threadId(init.bell.id),
      memory: this.#partitions.memory,
      partitions: this.#partitions,
      table: this.#table,
      onFollowed: (delta) => this.#groups.follow(delta),
    })
    this.#groups = new GroupDoor({
      partitions: this.#partitions,
      bells: this.#bells,
      clock,
      random: environment.random,
      config: init.config,
      processId: init.memory.processId,
      image: () => this.#metadata.loader.image,
      layout: this.#io === undefined ? undefined : () => this.#io!.layout(),
      onAppended: () => this.#dutyCycle.wake(),
      onFatal: environment.onFatal,
    })
    this.#dutyCycle = new DutyCycle({
      parker: this.#parker,
      scheduler,
      turn: () => this.#turn(),
      hasWork: () => (!this.#partitions.isHeldUp && this.#lanes.hasWork()) || this.#partitions.hasAttention || this.#metadata.awaitNews(),
      idleStrategy: init.idleStrategy,
      maySpin: environment.maySpin,
      clock,
      onError: environment.onFatal,
    })
    this.#table.started(init.brokerId, init.incarnation, threadId(init.bell.id), environment.workerThread)
    exposeControl(init.hostPort, this, { ref: true })
    for (const { brokerId, incarnation, port } of init.peers) this.connectPeer(brokerId, incarnation, port)
    this.#expireProducersLater()
    this.#dutyCycle.start()
    this.#ready = this.#start()
    // Told to the host by `ready`, when it asks; a broker that nobody knows must not live on.
    this.#ready.catch((error: unknown) => {
      if (!this.#stopping) environment.onFatal(error)
    })
  }

  // --- the host's calls ---------------------------------------------------------

  ready(): Promise<void> {
    return this.#ready
  }

  acceptClient(thread: ThreadBell, port: MessagePort): void {
    const calls = new PartitionCalls(this.#init.brokerId, this.#partitions)
    const api: BrokerControl = {
      openLane: (lane) => this.#openLane(lane, thread),
      createTopic: (command) => this.#askController<CreatedTopic>((reply) => ({ type: 'createTopic', command, reply })),
      deleteTopic: (command) => {
        this.#checkDeletion()
        return this.#askController<Committed>((reply) => ({ type: 'deleteTopic', command, reply }))
      },
      createPartitions: (command) => this.#askController<Committed>((reply) => ({ type: 'createPartitions', command, reply })),
      alterConfigs: (command) => this.#askController<Committed>((reply) => ({ type: 'alterConfigs', command, reply })),
      moveLeader: (command) => this.#askController<Committed>((reply) => ({ type: 'moveLeader', command, reply })),
      allocateProducerIds: () => this.#askController<ProducerIdsBlock>((reply) => ({ type: 'allocateProducerIds', reply })),
      listOffsets: (request) => calls.listOffsets(request),
      deleteRecords: (request) => calls.deleteRecords(request),
      askGroup: (request) => this.#groups.ask(request, thread),
    }
    exposeControl(port, api).onClose(() => {
      this.#bells.release(threadId(thread.id), thread.incarnation)
      this.#lanes.clientGone(thread)
      this.#groups.hostGone(thread)
      this.#dutyCycle.wake()
    })
  }

  #checkDeletion(): void {
    if (this.#init.config['delete.topic.enable'] !== false) return
    throw new MillraceError('TOPIC_DELETION_DISABLED', 'topics are not deleted here: millrace was opened with delete.topic.enable: false')
  }

  connectPeer(brokerId: number, incarnation: number, port: MessagePort): void {
    const api: PeerControl = {
      registerBroker: (registration) => this.#askController<void>((reply) => ({ type: 'registerBroker', registration, reply })),
    }
    exposeControl(port, api)
    const control = connectControl<PeerControl>(port, { name: `broker ${brokerId}` })
    this.#peers.set(brokerId, { brokerId, incarnation, control })
    this.#heardOf[brokerId] = Math.max(this.#heardOf[brokerId] ?? 0, incarnation)
    control.onClose(() => this.#peerGone(brokerId, incarnation))
  }

  connectIo(port: MessagePort): void {
    this.#io?.reconnect(port)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    // What is published on the lanes is taken and answered before the last turn; no more may come.
    this.#lanes.refuseOffers()
    while (this.#turn() > 0);
    this.#partitions.announce()
    this.#dutyCycle.stop()
    this.#laterTimer?.cancel()
    this.#expiryTimer?.cancel()
    await this.#actors.close()
    this.#groups.close()
    this.#partitions.resign()
    this.#lanes.flush()
    this.#lanes.close()
    this.#parker.close()
  }

  // --- the duty cycle -----------------------------------------------------------

  #turn(): number {
    let work = this.#metadata.follow() + this.#partitions.followFiles()
    if (!this.#partitions.isHeldUp) work += this.#lanes.poll()
    if (this.#partitions.parkedCount > 0) work += this.#partitions.retryParked()
    work += this.#partitions.advance()
    this.#groups.advance()
    this.#announce(work)
    work += this.#partitions.keepMemory(work === 0)
    if (work === 0 || this.#partitions.parkedCount > 0) this.#wakeLater()
    this.#table.countTurn(this.#init.brokerId)
    return work
  }

  /**
   * Gives acks and wakes who waits, readers and producers, when this broker has caught up,
   * or after so many bytes. Waking a thread that sleeps costs tens of microseconds, most of
   * a turn's work; while there is more to take, the next turn has more to tell.
   */
  #announce(work: number): void {
    if (work > 0) this.#hasNews = true
    if (!this.#hasNews) return
    // Lanes that are held up are no reason: what stands on them may wait long for memory.
    if (this.#unannouncedBytes < ANNOUNCE_BYTES && !this.#partitions.isHeldUp && this.#lanes.hasWork()) return
    this.#hasNews = false
    this.#unannouncedBytes = 0
    this.#partitions.announce()
    this.#lanes.flush()
  }

  #onBatch(lane: LaneReader, bytes: Uint8Array, start: number, end: number): void {
    this.#unannouncedBytes += end - start
    this.#partitions.onBatch(lane, lane.frame, bytes, start, end)
  }

  #openLane(lane: SharedArrayBuffer, client: ThreadBell): void {
    this.#lanes.open(lane, client)
    this.#dutyCycle.wake()
  }

  /** What only time brings: rested memory for batches that wait, or for brokers that asked; records that expire. */
  #wakeLater(): void {
    const delayMs = this.#partitions.dueInMs()
    if (delayMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#environment
    const waitMs = Math.max(1, delayMs)
    const laterMs = clock.monotonicMs() + waitMs
    // One that is set already, for no later than a moment from then, will do.
    if (this.#laterMs <= laterMs + 1) return
    this.#laterTimer?.cancel()
    this.#laterMs = laterMs
    this.#laterTimer = clock.setTimer(waitMs, () => {
      this.#laterTimer = undefined
      this.#laterMs = Number.POSITIVE_INFINITY
      this.#dutyCycle.wake()
    })
  }

  #expireProducersLater(): void {
    const name = 'producer.id.expiration.check.interval.ms'
    const intervalMs = this.#init.config[name] ?? TRANSACTION_SETTINGS[name].default
    this.#expiryTimer = this.#environment.clock.setTimer(intervalMs, () => {
      this.#partitions.expireProducers()
      this.#expireProducersLater()
    })
  }

  // --- controller and peers -----------------------------------------------------

  async #start(): Promise<void> {
    const { brokerId, incarnation, bootstrap } = this.#init
    const registration = { brokerId, incarnation, incarnationId: this.#newUuid() }
    // Nothing can be led before it is known what there is.
    const recovered = incarnation === 1 ? await this.#io?.recovered() : undefined
    if (recovered !== undefined) this.#partitions.metadata.recovered(recovered)
    this.#clusterId = recovered?.clusterId
    if (bootstrap) this.#partitions.metadata.make()
    this.#considerTakeOver()
    // A controller may die while this registers; the next one is asked then.
    for (;;) {
      const leader = this.#partitions.metadata.leader
      // At the very start the word is not written yet: the lowest broker is the one that writes it.
      const asked = leader === brokerId ? undefined : this.#peers.get(leader ?? Math.min(...this.#peers.keys()))?.control
      try {
        if (leader === brokerId) await this.#askController<void>((reply) => ({ type: 'registerBroker', registration, reply }))
        else if (asked !== undefined) await asked.calls.registerBroker(registration)
        else throw new MillraceError('NOT_CONTROLLER', 'no broker leads the metadata log yet')
        return this.#follow()
      } catch (error) {
        if (this.#stopping || !(error instanceof MillraceError) || !error.retriable) throw error
        await new Promise<void>((resolve) => this.#environment.clock.setTimer(REGISTER_AGAIN_MS, resolve))
        this.#considerTakeOver()
      }
    }
  }

  #peerGone(brokerId: number, incarnation: number): void {
    if (this.#peers.get(brokerId)?.incarnation === incarnation) this.#peers.delete(brokerId)
    if (this.#stopping) return
    // It may have died between taking this thread's bell and waking it.
    this.#dutyCycle.wake()
    if (this.#controller !== undefined) {
      this.#controller.tellSystem({ type: 'brokerDied', brokerId, incarnation, reply: IGNORED })
      return
    }
    this.#considerTakeOver()
  }

  /** The lowest living broker leads the metadata log when the one that did is dead. */
  #considerTakeOver(): void {
    const { brokerId, bootstrap } = this.#init
    if (this.#controller !== undefined || this.#stopping) return
    // It is this very word that is judged, and replaced: another who takes over first has changed it.
    const word = this.#partitions.metadata.leaderWord
    const leader = leaderBrokerOf(word)
    if (!hasLeader(word)) {
      if (!bootstrap) return
    } else if (leader !== brokerId) {
      // Asked behind the look at the word: who took the lead had started before. One of whom this thread has not
      // heard yet may run, though its earlier incarnation is known to be dead.
      if (this.#peers.has(leader) || this.#isAlive(leader, this.#table.incarnationOf(leader))) return
      for (const peer of this.#peers.keys()) if (peer < brokerId) return
    }
    // Led by nobody, by the dead, or by an earlier incarnation of this broker: two who try are told apart by the word.
    const log = this.#partitions.metadata.take(word)
    if (log === undefined) return
    const effects = controllerEffects({
      environment: this.#environment,
      clusterId: this.#clusterId,
      partitions: this.#partitions,
      metadata: this.#metadata,
      table: this.#table,
      follow: () => this.#follow(),
      isAlive: (id, startedAs) => this.#isAlive(id, startedAs),
    })
    this.#controller = this.#actors.spawn<ControllerMessage>('controller', () => new ControllerActor(log, effects), {
      supervision: { decide: () => 'escalate' },
    })
    this.#controller.tellSystem({ type: 'takeOver', reply: IGNORED })
  }

  /**
   * Whether a broker that started may still run: nothing is adopted from one that does. One
   * that is later than all that this thread was told of is on its way to be introduced.
   */
  #isAlive(brokerId: number, incarnation: number): boolean {
    if (brokerId === this.#init.brokerId) return incarnation === this.#init.incarnation
    return this.#peers.get(brokerId)?.incarnation === incarnation || incarnation > (this.#heardOf[brokerId] ?? 0)
  }

  /** Out of turn. A defect found while a log is opened ends this thread, as in a turn: a log half open would be led by nobody. */
  #follow(): void {
    try {
      this.#metadata.follow()
    } catch (error) {
      this.#environment.onFatal(error)
      throw error
    }
  }

  #newUuid(): TopicId {
    const word = (): number => this.#environment.random.uint32() | 0
    return [word(), word(), word(), word()]
  }

  #askController<T>(message: (reply: { resolve: (value: T) => void; reject: (error: unknown) => void }) => ControllerMessage): Promise<T> {
    if (this.#controller === undefined) {
      return Promise.reject(
        new MillraceError('NOT_CONTROLLER', `broker ${this.#init.brokerId} is not the active controller: ask the one that is`),
      )
    }
    return this.#controller.ask<T>(message).catch((error: unknown) => {
      // It has failed, and its thread ends with it: its successor is to be asked, as if this thread had ended already.
      const hasFailed = error instanceof MillraceError && error.code === 'CLOSED' && !this.#stopping
      throw hasFailed ? new MillraceError('NOT_CONTROLLER', `the controller on broker ${this.#init.brokerId} has failed`) : error
    })
  }
}

const IGNORED = { resolve: () => undefined, reject: () => undefined }
