// What the I/O thread is started with, and what it tells of itself. Data only: it travels
// between threads.

import type { MessagePort } from 'node:worker_threads'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { ThreadBell } from './broker-control.ts'
import type { ProcessMemory } from './process-memory.ts'

/** What the I/O thread is started with. */
export interface IoInit {
  readonly io: true
  readonly bell: ThreadBell
  readonly memory: ProcessMemory
  readonly dataDir: string
  readonly brokers: number
  readonly config: Readonly<Partial<BrokerConfig>>
  /** The user's own entry of millrace's threads, where a bundler moved it. */
  readonly workerUrl: string | undefined
  readonly hostPort: MessagePort
  /** Takes an IoMessage. */
  readonly logPort: MessagePort
  /** Whose the directory's lock is: this millrace's, whatever thread of it writes. */
  readonly holder: string
  /** Another one of this process has opened the directory before, and has died. */
  readonly isAgain: boolean
}

export interface IoMessage {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
}

export type IoEvent =
  | { readonly type: 'ioDied'; readonly error: Error | undefined }
  | { readonly type: 'ioRestarted' }
  | { readonly type: 'ioGivenUp' }
  /** What it found or did in the directory. */
  | { readonly type: 'ioMessage'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
