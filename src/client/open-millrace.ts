// Opening a millrace in this process, and attaching further threads to it.

import { resolve } from 'node:path'
import type { NewPortPair } from '../actor/port-pair.ts'
import type { ThreadSpawner } from '../actor/worker-thread.ts'
import { workerThreadSpawner } from '../actor/worker-thread.ts'
import { Cluster } from '../broker/cluster.ts'
import type { ClusterEvent } from '../broker/cluster.ts'
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { checkBrokerConfig } from '../config/broker-config-check.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { BatchCompressor } from '../engine/batch-compressor.ts'
import { EmbeddedEngine } from '../engine/embedded-engine.ts'
import { MillraceError } from '../errors.ts'
import { engineRandom, systemRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { createLogger } from './logger.ts'
import type { LazyLogger } from './logger.ts'
import { AttachedMillrace } from './millrace.ts'
import type { EmbeddedMillrace, MadeClient, MillraceHandle } from './millrace.ts'
import { fillMillraceOptions } from './millrace-config.ts'
import type { FilledMillraceOptions, MillraceOptions } from './millrace-config.ts'

/** What a millrace takes of the world around it: the machine's for users, another one under virtual time. */
export interface MillraceWorld {
  readonly clock: Clock
  /** Of the cluster: its token must not be guessed. */
  readonly random: Random
  /** Of producers and consumers. */
  readonly clientRandom: Random
  readonly spawner: ThreadSpawner
  /** See `ClusterOptions`. */
  readonly local?: { readonly newPortPair: NewPortPair; readonly name: string } | undefined
  /** Where large batches are compressed; threads of a pool unless said. */
  readonly compressor?: BatchCompressor | undefined
  /** Told of each producer and consumer that is made. */
  readonly onMade?: (made: MadeClient) => void
}

/** The world of every user. */
export const MACHINE: MillraceWorld = { clock: systemClock, random: systemRandom, clientRandom: engineRandom, spawner: workerThreadSpawner }

/**
 * Starts the broker threads of a millrace and attaches this thread. With a `dataDir` its topics are
 * what they were when it was last open; without one they go with the process. Rejects with INVALID_CONFIG,
 * KAFKA_STORAGE_ERROR when the directory cannot be opened, BROKER_NOT_AVAILABLE when a thread does not start,
 * and ABORTED by its signal.
 */
export async function openMillrace(options?: MillraceOptions, { signal }: { signal?: AbortSignal } = {}): Promise<EmbeddedMillrace> {
  return startMillrace(fillMillraceOptions(options), MACHINE, signal)
}

/** `openMillrace`, in another world than the machine's where one is given. */
export async function startMillrace(filled: FilledMillraceOptions, world: MillraceWorld, signal?: AbortSignal): Promise<AttachedMillrace> {
  const { config: given, withoutEffect } = checkBrokerConfig(filled.config)
  const dataDir = filled.dataDir === undefined ? undefined : resolve(filled.dataDir)
  const config = dataDir === undefined ? refuseDurability(given) : { 'millrace.durability': 'cache' as const, ...given }
  refuseAborted(signal)
  const logger = createLogger(filled.logger, filled.logLevel)
  for (const { name, reason } of withoutEffect) logger.log('info', { config: name }, `broker config ${name} has no effect: ${reason}`)
  const cluster = await Cluster.start({
    brokers: filled.brokers,
    logMemoryBytes: filled.logMemoryBytes,
    partitionsMax: filled.partitionsMax,
    idleStrategy: filled.idleStrategy,
    config,
    dataDir,
    workerUrl: filled.workerUrl === undefined ? undefined : new URL(filled.workerUrl),
    clock: world.clock,
    random: world.random,
    spawner: world.spawner,
    local: world.local,
    onEvent: (event) => logEvent(logger, event),
  })
  try {
    // Threads that are starting are not stopped half-way: an abort is looked at when they run.
    refuseAborted(signal)
    const engine = await EmbeddedEngine.attach(cluster.address, { clock: world.clock, compressor: world.compressor, signal })
    const { clientRandom: random, onMade } = world
    return new AttachedMillrace(engine, { kind: 'millrace', ...cluster.address }, { cluster, random, onMade })
  } catch (error) {
    await cluster.close({ timeoutMs: 0 })
    throw error
  }
}

/**
 * Attaches this thread to a millrace that another thread opened: `new Worker(url, {
 * workerData: { handle: millrace.handle } })`, then here. It needs the event loops of the
 * opener and of the main thread for a moment; records never pass through either.
 * Rejects with THREAD_DIED or CLOSED when the opener is gone, REQUEST_TIMED_OUT, ABORTED.
 */
export async function attachMillrace(handle: MillraceHandle, options: { signal?: AbortSignal } = {}): Promise<EmbeddedMillrace> {
  const { kind, token, threadId } = (handle ?? {}) as Partial<MillraceHandle>
  if (kind !== 'millrace' || typeof token !== 'string' || !Number.isInteger(threadId)) {
    throw new MillraceError('INVALID_REQUEST', 'attachMillrace takes the handle of an open millrace: pass millrace.handle in workerData')
  }
  const engine = await EmbeddedEngine.attach(handle, { clock: systemClock, signal: options.signal })
  return new AttachedMillrace(engine, handle)
}

function refuseDurability(config: Readonly<Partial<BrokerConfig>>): Readonly<Partial<BrokerConfig>> {
  const durability = config['millrace.durability'] ?? 'memory'
  if (durability === 'memory') return config
  const message = `millrace.durability '${durability}' needs files: give openMillrace a dataDir`
  throw new MillraceError('INVALID_CONFIG', message)
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new MillraceError('ABORTED', 'opening millrace was aborted by its signal', { cause: signal.reason })
}

function logEvent(logger: LazyLogger, event: ClusterEvent): void {
  switch (event.type) {
    case 'brokerDied':
      return logger.log(
        'error',
        { broker: event.brokerId, incarnation: event.incarnation, err: event.error },
        `broker ${event.brokerId} died`,
      )
    case 'brokerRestarted':
      return logger.log('info', { broker: event.brokerId, incarnation: event.incarnation }, `broker ${event.brokerId} was started again`)
    case 'brokerGivenUp':
      return logger.log('error', { broker: event.brokerId }, `broker ${event.brokerId} died too often and is not started again`)
    case 'ioDied':
      return logger.log('error', { err: event.error }, 'the I/O thread died')
    case 'ioRestarted':
      return logger.log('info', {}, 'the I/O thread was started again')
    case 'ioGivenUp':
      return logger.log('error', {}, 'the I/O thread died too often and is not started again: nothing is written to files any more')
    case 'ioMessage':
      return logger.log(event.level, {}, event.message)
  }
}
