// The I/O thread of a data directory, as the thread that opened millrace sees it: starts
// it, starts it again when it dies, and gives each broker its way to it.
// Runs on the opener's thread.
// Holds: what is in log memory and not in files is not lost with the I/O thread: the next
// one goes on where the one before had published that it was.

import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { connectControl } from '../actor/control-channel.ts'
import type { ControlClient } from '../actor/control-channel.ts'
import { Supervisor } from '../actor/supervisor.ts'
import type { SupervisionPolicy } from '../actor/supervisor.ts'
import { entryBeside } from '../actor/worker-thread.ts'
import type { SpawnedThread, ThreadExit, ThreadSpawner } from '../actor/worker-thread.ts'
import { THREAD_KIND_IO } from '../bells.ts'
import type { Bells } from '../bells.ts'
import type { Clock } from '../clock.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { MillraceError } from '../errors.ts'
import { threadId } from '../ids.ts'
import type { HostedIoControl, LogDirectoryLayout } from '../io/io-control.ts'
import { tellLeader } from '../io/leader-notice.ts'
import { ControlBlock } from '../log/control-block.ts'
import { LogMemory } from '../log/log-memory.ts'
import { FIRST_TOPIC_SLOT } from '../metadata/metadata-records.ts'
import type { ThreadBell } from './broker-control.ts'
import { BrokerTable } from './broker-table.ts'
import type { IoEvent, IoInit, IoMessage } from './io-init.ts'
import type { ProcessMemory } from './process-memory.ts'

export interface IoHostOptions {
  readonly memory: ProcessMemory
  readonly bells: Bells
  readonly dataDir: string
  readonly brokers: number
  readonly config: Readonly<Partial<BrokerConfig>>
  readonly spawner: ThreadSpawner
  readonly clock: Clock
  readonly workerUrl: URL | undefined
  /** Nobody else's. */
  readonly holder: string
  readonly restarts: SupervisionPolicy
  readonly onEvent: (event: IoEvent) => void
  /** It runs again: every broker needs a way to it. */
  readonly onAgain: () => void
}

export class IoHost {
  readonly #options: IoHostOptions
  readonly #supervisor: Supervisor
  #thread!: SpawnedThread
  #control!: ControlClient<HostedIoControl>
  #isClosing = false

  constructor(options: IoHostOptions) {
    this.#options = options
    this.#supervisor = new Supervisor(options.clock, options.restarts)
    this.#spawn(false)
  }

  /** The worker_threads id of its thread, for fault tests. */
  get thread(): SpawnedThread {
    return this.#thread
  }

  /** Settles when everything in the directory is recovered; rejects with why it cannot be opened. */
  async ready(): Promise<LogDirectoryLayout> {
    try {
      return await this.#control.calls.ready()
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'THREAD_DIED') throw error
      const { error: cause } = await this.#thread.join()
      throw new MillraceError('KAFKA_STORAGE_ERROR', `the I/O thread did not start: ${cause?.message ?? error.message}`, { cause })
    }
  }

  /** A broker's way to it. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    // If it is dead already, nobody has taken the other end: closing it tells the broker.
    void this.#control
      .with({ transfer: [port1], hold: false })
      .connectBroker(port1)
      .catch(() => port1.close())
    return port2
  }

  /** Everything is written, synced, and left as after a clean stop; or the time is over. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true
    const stopped = this.#control.calls.stop().catch((error: unknown) => error)
    const late = new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(timeoutMs, resolve, { ref: true })
      void stopped.then(() => timer.cancel())
    })
    const isLate = await Promise.race([stopped.then((error) => error !== undefined), late.then(() => true)])
    await this.#thread.terminate()
    if (isLate) await this.#releaseDirectory()
  }

  /** The thread has died, or was ended, with the directory in its hands. */
  async #releaseDirectory(): Promise<void> {
    const { dataDir, holder, onEvent } = this.#options
    try {
      // Only here does the opener's thread need anything of disks.
      const { releaseDirectory } = await import('./io-worker.ts')
      releaseDirectory(dataDir, holder)
    } catch (error) {
      onEvent({ type: 'ioMessage', level: 'warn', message: `the lock of ${dataDir} stays: ${(error as Error).message}` })
    }
  }

  #spawn(isAgain: boolean): void {
    const { bells, memory, dataDir, brokers, config, spawner, workerUrl } = this.#options
    const bell = bells.claim(THREAD_KIND_IO)
    const { port1, port2 } = new MessageChannel()
    const { port1: messagePort, port2: logPort } = new MessageChannel()
    const self = { io: true, bell, holder: this.#options.holder, hostPort: port2, logPort, isAgain } as const
    const workerData: IoInit = { ...self, memory, dataDir, brokers, config, workerUrl: workerUrl?.href }
    this.#thread = spawner.spawn({
      name: 'millrace I/O',
      entry: workerUrl ?? entryBeside('./worker-main', import.meta.url),
      workerData,
      transfer: [port2, logPort],
    })
    this.#control = connectControl<HostedIoControl>(port1, { name: 'the I/O thread' })
    messagePort.on('message', ({ level, message }: IoMessage) => this.#options.onEvent({ type: 'ioMessage', level, message }))
    messagePort.unref()
    this.#thread.onExit((exit) => this.#onExit(bell, exit))
  }

  #onExit(bell: ThreadBell, { error }: ThreadExit): void {
    const { bells, onEvent, onAgain } = this.#options
    bells.release(threadId(bell.id), bell.incarnation)
    if (this.#isClosing) return
    onEvent({ type: 'ioDied', error })
    if (this.#supervisor.onFailure(error) !== 'restart') {
      this.#failFiles()
      return onEvent({ type: 'ioGivenUp' })
    }
    this.#spawn(true)
    onAgain()
    const thread = this.#thread
    this.#control.calls.ready().then(
      () => onEvent({ type: 'ioRestarted' }),
      (failure: unknown) => {
        // It has died meanwhile: whoever hears of that starts the next one.
        if (failure instanceof MillraceError && failure.code === 'THREAD_DIED') return
        // It runs, and has no directory: as good as dead.
        const why = failure instanceof Error ? failure.message : String(failure)
        onEvent({ type: 'ioMessage', level: 'error', message: `the data directory was not opened again: ${why}` })
        void thread.terminate()
      },
    )
  }

  /** Nobody writes files any more: whoever waits for one is to hear of it. */
  #failFiles(): void {
    const { bells, memory } = this.#options
    const log = new LogMemory(memory.log)
    const brokers = new BrokerTable(memory.brokers)
    for (let slot = FIRST_TOPIC_SLOT; slot < log.slotsHigh; slot++) {
      const control = new ControlBlock(log, slot)
      if (!control.isInUse || !control.hasFiles || control.haveFilesFailed) continue
      control.failFiles()
      tellLeader(log, control, (brokerId) => brokers.ring(bells, brokerId))
    }
  }
}
