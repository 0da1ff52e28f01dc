// Two ends of a message channel, as a parameter: who links threads is handed a way to make them.

import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'

export interface PortPair {
  readonly port1: MessagePort
  readonly port2: MessagePort
}

/** Makes the two ends of a new channel. */
export type NewPortPair = () => PortPair

/** A channel of Node.js: its ends may go to any thread. */
export const newMessageChannel: NewPortPair = () => new MessageChannel()
