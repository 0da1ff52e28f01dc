// The door to the brokers of this process, for one attached thread: shared memory for
// data, control channels for everything else.
// Runs on the attached thread.
// Holds: who leads what is read from shared memory at each use, never remembered.

import type { MessagePort } from 'node:worker_threads'
import { openAttachPort } from '../actor/attach-port.ts'
import type { AttachAddress } from '../actor/attach-port.ts'
import { connectControl } from '../actor/control-channel.ts'
import type { ControlCalls, ControlClient } from '../actor/control-channel.ts'
import { ThreadParker } from '../actor/thread-parker.ts'
import { Bells } from '../bells.ts'
import type { Attachment, BrokerControl, HostControl } from '../broker/broker-control.ts'
import { BrokerTable } from '../broker/broker-table.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { slot, threadId } from '../ids.ts'
import type { ThreadId } from '../ids.ts'
import { allocateLane } from '../lane/lane.ts'
import { ACK_SLOTS } from '../lane/lane-layout.ts'
import { LaneWriter } from '../lane/lane-writer.ts'
import { ControlBlock, NO_LEADER_WORD, leaderBrokerOf } from '../log/control-block.ts'
import { LogMemory } from '../log/log-memory.ts'
import type { CreateTopicCommand } from '../metadata/controller.ts'
import { CLUSTER_METADATA_SLOT } from '../metadata/metadata-records.ts'
import type { TopicDescription } from '../metadata/topic-description.ts'
import { WakeLoop } from './wake-loop.ts'

interface BrokerConnection {
  readonly incarnation: number
  readonly control: ControlClient<BrokerControl>
}

/** How long a control call looks for a controller that answers (Kafka: default.api.timeout.ms is 60 s). */
const CONTROL_TIMEOUT_MS = 30_000

export class EmbeddedEngine {
  readonly threadId: ThreadId
  readonly bells: Bells
  readonly wakeLoop: WakeLoop
  readonly memory: LogMemory
  readonly clock: Clock
  readonly #parker: ThreadParker
  readonly #bellIncarnation: number
  readonly #brokerTable: BrokerTable
  readonly #host: ControlClient<HostControl>
  readonly #metadata: ControlBlock
  readonly #connections = new Map<number, BrokerConnection>()
  readonly #connecting = new Set<number>()
  readonly #lostListeners = new Set<(brokerId: number) => void>()
  #closed = false

  static async attach(address: AttachAddress, options: { clock: Clock; signal?: AbortSignal | undefined }): Promise<EmbeddedEngine> {
    const port = await openAttachPort(address, options)
    const host = connectControl<HostControl>(port, { name: 'the thread that opened millrace' })
    try {
      return new EmbeddedEngine(host, await host.with({ signal: options.signal }).attach(), options.clock)
    } catch (error) {
      host.close()
      throw error
    }
  }

  private constructor(host: ControlClient<HostControl>, { memory, bell, brokers }: Attachment, clock: Clock) {
    this.threadId = threadId(bell.id)
    this.#bellIncarnation = bell.incarnation
    this.clock = clock
    this.bells = new Bells(memory.bells)
    this.memory = new LogMemory(memory.log)
    this.#brokerTable = new BrokerTable(memory.brokers)
    this.#parker = new ThreadParker(this.bells, this.threadId)
    this.wakeLoop = new WakeLoop(this.#parker)
    this.#host = host
    this.#metadata = new ControlBlock(this.memory, slot(CLUSTER_METADATA_SLOT))
    for (const { brokerId, incarnation, port } of brokers) this.#connect(brokerId, incarnation, port)
  }

  get closed(): boolean {
    return this.#closed
  }

  controlBlock(slotNumber: number): ControlBlock {
    return new ControlBlock(this.memory, slot(slotNumber))
  }

  createTopic(command: CreateTopicCommand, signal?: AbortSignal): Promise<TopicDescription> {
    return this.#onController((controller) => controller.createTopic(command), signal)
  }

  describeTopic(name: string, signal?: AbortSignal): Promise<TopicDescription | undefined> {
    return this.#onController((controller) => controller.describeTopic(name), signal)
  }

  listTopics(signal?: AbortSignal): Promise<string[]> {
    return this.#onController((controller) => controller.listTopics(), signal)
  }

  /**
   * A lane to a broker; undefined while there is no connection to it. The broker reads it as soon
   * as it hears of it. Whoever offers rings the broker's bell: the lane does not.
   */
  openLane(brokerId: number, capacityBytes: number): LaneWriter | undefined {
    const connection = this.#connections.get(brokerId)
    const brokerThread = this.#brokerTable.threadOf(brokerId)
    if (connection === undefined || brokerThread === undefined) {
      void this.#reconnect(brokerId)
      return undefined
    }
    const lane = allocateLane({ capacityBytes, ackSlots: ACK_SLOTS, producerThread: this.threadId, brokerThread })
    // If the broker dies before it hears of the lane, its port says so.
    connection.control.with({ hold: false }).openLane(lane).catch(() => undefined)
    return new LaneWriter(lane, () => undefined)
  }

  /** Calls back with each broker whose thread has ended. Gives the way to take it back. */
  onBrokerLost(listener: (brokerId: number) => void): () => void {
    this.#lostListeners.add(listener)
    return () => this.#lostListeners.delete(listener)
  }

  /** Detaches this thread: no call, no bell and no port of it is left. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { control } of this.#connections.values()) control.close()
    this.#connections.clear()
    this.#host.close()
    this.#parker.close()
    this.bells.release(this.threadId, this.#bellIncarnation)
  }

  #connect(brokerId: number, incarnation: number, port: MessagePort): void {
    const control = connectControl<BrokerControl>(port, { name: `broker ${brokerId}` })
    this.#connections.set(brokerId, { incarnation, control })
    control.onClose(() => {
      if (this.#connections.get(brokerId)?.control === control) this.#connections.delete(brokerId)
      if (this.#closed) return
      for (const listener of [...this.#lostListeners]) listener(brokerId)
      this.wakeLoop.wake()
    })
  }

  async #reconnect(brokerId: number): Promise<void> {
    if (this.#closed || this.#connecting.has(brokerId)) return
    this.#connecting.add(brokerId)
    try {
      const connected = await this.#host.calls.connectBroker(brokerId)
      if (connected === undefined || this.#connections.has(brokerId)) return
      if (this.#closed) connected.port.close()
      else this.#connect(connected.brokerId, connected.incarnation, connected.port)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    } finally {
      this.#connecting.delete(brokerId)
    }
    this.wakeLoop.wake()
  }

  /** Asks the active controller; when it dies, the one after it. Rejects with what it answers, or REQUEST_TIMED_OUT. */
  async #onController<T>(call: (controller: ControlCalls<BrokerControl>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const deadline = new AbortController()
    const timer = this.clock.setTimer(CONTROL_TIMEOUT_MS, () => deadline.abort())
    const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal])
    try {
      for (;;) {
        if (this.#closed) throw new MillraceError('CLOSED', 'millrace is closed on this thread')
        const word = this.#metadata.leaderWord()
        const connection = word === NO_LEADER_WORD ? undefined : this.#connections.get(leaderBrokerOf(word))
        if (connection !== undefined) {
          try {
            return await call(connection.control.with({ signal: either }))
          } catch (error) {
            if (!(error instanceof MillraceError) || (error.code !== 'THREAD_DIED' && error.code !== 'NOT_CONTROLLER')) throw error
          }
        } else if (word !== NO_LEADER_WORD) {
          await this.#reconnect(leaderBrokerOf(word))
          if (this.#connections.has(leaderBrokerOf(word))) continue
        }
        await this.#controllerChanged(word, either)
      }
    } catch (error) {
      if (deadline.signal.aborted && signal?.aborted !== true) {
        throw new MillraceError('REQUEST_TIMED_OUT', `no controller answered within ${CONTROL_TIMEOUT_MS} ms: are all broker threads blocked or dead?`)
      }
      throw error
    } finally {
      timer.cancel()
    }
  }

  #controllerChanged(seen: bigint, signal: AbortSignal): Promise<void> {
    const changed = (): boolean => {
      this.#metadata.addWaiter(this.threadId)
      return this.#metadata.leaderWord() !== seen
    }
    return this.#parker.wait(changed, { signal })
  }
}
