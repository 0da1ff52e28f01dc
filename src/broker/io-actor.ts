// The I/O thread of a data directory: the shell that opens the directory, turns its thread's
// event loop into duty cycles, and answers brokers and the host. Runs on a worker thread of
// its own, and may block there: nobody else's work is on it.
// Holds: a failed assertion anywhere ends this thread, and another one goes on.

import type { MessagePort } from 'node:worker_threads'
import { exposeControl } from '../actor/control-channel.ts'
import { DutyCycle } from '../actor/duty-cycle.ts'
import { ThreadParker, immediateScheduler } from '../actor/thread-parker.ts'
import { Bells } from '../bells.ts'
import type { Clock, Timer } from '../clock.ts'
import { LOG_SETTINGS } from '../config/broker-log-settings.ts'
import type { Disk } from '../disk/disk.ts'
import { threadId } from '../ids.ts'
import type { TopicId } from '../ids.ts'
import type { CleanerPool } from '../io/directory-cleaner.ts'
import type { HostedIoControl, IoControl, LogDirectoryLayout, RecoveredMetadata } from '../io/io-control.ts'
import { IoThread } from '../io/io-thread.ts'
import type { RecoveryThreads } from '../io/log-recovery.ts'
import { openLogsOn } from '../io/open-logs.ts'
import { LogMemory } from '../log/log-memory.ts'
import type { Random } from '../random.ts'
import type { ProcessIdentity } from '../storage/data-directory-lock.ts'
import { BrokerTable } from './broker-table.ts'
import type { IoInit, IoMessage } from './io-init.ts'

export interface IoEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly process: ProcessIdentity
  /** Threads that recover partitions, so many at the most; started when much is to be scanned. */
  readonly recoveryThreads: (threads: number) => RecoveryThreads
  readonly cleanerPool: (threads: number) => CleanerPool
  /** It cannot go on: its thread must end. */
  readonly onFatal: (error: unknown) => void
}

interface Open {
  readonly io: IoThread
  readonly metadata: RecoveredMetadata
  readonly layout: LogDirectoryLayout
}

export class IoActor implements HostedIoControl {
  readonly #init: IoInit
  readonly #environment: IoEnvironment
  readonly #memory: LogMemory
  readonly #parker: ThreadParker
  readonly #bells: Bells
  readonly #table: BrokerTable
  readonly #opened: Promise<Open>
  #dutyCycle: DutyCycle | undefined
  #laterTimer: Timer | undefined

  constructor(init: IoInit, environment: IoEnvironment) {
    this.#init = init
    this.#environment = environment
    this.#memory = new LogMemory(init.memory.log)
    this.#bells = new Bells(init.memory.bells)
    this.#table = new BrokerTable(init.memory.brokers)
    this.#parker = new ThreadParker(this.#bells, threadId(init.bell.id))
    exposeControl(init.hostPort, this, { ref: true })
    this.#opened = Promise.resolve().then(() => this.#open())
    this.#opened.catch(() => undefined)
  }

  async ready(): Promise<LogDirectoryLayout> {
    return (await this.#opened).layout
  }

  connectBroker(port: MessagePort): void {
    const api: IoControl = {
      recovered: async () => (await this.#opened).metadata,
      layout: () => this.ready(),
      knownProducers: (slot: number, topicId: TopicId) => this.#guarded((io) => io.knownProducers(slot, topicId)),
    }
    exposeControl(port, api)
  }

  async stop(): Promise<void> {
    const { io } = await this.#opened
    await io.stopCleaning()
    this.#dutyCycle?.stop()
    this.#laterTimer?.cancel()
    io.close()
    this.#memory.setIoThread(undefined)
    this.#parker.close()
  }

  async #open(): Promise<Open> {
    const { memory, dataDir, brokers, config, isAgain } = this.#init
    const { clock, random, disk, process, recoveryThreads, cleanerPool, onFatal } = this.#environment
    const log = (level: IoMessage['level'], message: string): void => this.#init.logPort.postMessage({ level, message } satisfies IoMessage)
    const threads = config['num.recovery.threads.per.data.dir'] ?? LOG_SETTINGS['num.recovery.threads.per.data.dir'].default
    const { directories, metadata, image, isOneBroker } = await openLogsOn(() => recoveryThreads(threads), {
      memory: this.#memory,
      disk,
      path: dataDir,
      brokers,
      config,
      clock,
      random,
      process,
      isAgain,
      log,
    })
    const name = 'log.retention.check.interval.ms'
    const io = new IoThread({
      memory: new LogMemory(memory.log),
      directories,
      image,
      clock,
      ringBroker: (brokerId) => this.#table.ring(this.#bells, brokerId),
      wake: () => this.#dutyCycle?.wake(),
      retentionCheckIntervalMs: config[name] ?? LOG_SETTINGS[name].default,
      cleanerPool,
      log,
    })
    this.#dutyCycle = new DutyCycle({
      parker: this.#parker,
      scheduler: immediateScheduler,
      turn: () => this.#turn(io),
      hasWork: () => io.hasWork(),
      // Another thread that spins takes a core from those that have work.
      idleStrategy: 'park',
      maySpin: () => false,
      clock,
      onError: onFatal,
    })
    this.#memory.setIoThread(threadId(this.#init.bell.id))
    this.#dutyCycle.start()
    return { io, metadata, layout: { dataDir, isOneBroker } }
  }

  #turn(io: IoThread): number {
    const work = io.turn()
    if (work === 0) this.#wakeLater(io)
    return work
  }

  #wakeLater(io: IoThread): void {
    this.#laterTimer?.cancel()
    this.#laterTimer = undefined
    const dueMs = io.dueInMs(this.#environment.clock.monotonicMs())
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.#laterTimer = this.#environment.clock.setTimer(Math.max(1, dueMs), () => this.#dutyCycle?.wake())
  }

  async #guarded<Answer>(ask: (io: IoThread) => Answer): Promise<Answer> {
    const { io } = await this.#opened
    return ask(io)
  }
}
