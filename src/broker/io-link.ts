// A broker's way to the I/O thread of the data directory: what only the files know, asked
// once and kept until it is used. Runs on the broker's thread.
// Holds: an I/O thread that dies is asked again when it runs again; no question is lost.

import type { MessagePort } from 'node:worker_threads'
import { connectControl } from '../actor/control-channel.ts'
import type { ControlClient } from '../actor/control-channel.ts'
import type { TopicId } from '../ids.ts'
import type { IoControl, LogDirectoryLayout, RecoveredMetadata } from '../io/io-control.ts'
import type { KnownProducers } from '../partition/producer-state.ts'
import type { LogFiles } from './log-files.ts'

export class IoLink implements LogFiles {
  /** An answer has come: ask again. */
  readonly #onAnswer: () => void
  readonly #known = new Map<number, KnownProducers | 'asked'>()
  #control: ControlClient<IoControl>

  constructor(port: MessagePort, onAnswer: () => void) {
    this.#onAnswer = onAnswer
    this.#control = this.#connect(port)
  }

  /** The I/O thread runs again. */
  reconnect(port: MessagePort): void {
    this.#control.close()
    this.#control = this.#connect(port)
    this.#forgetAsked()
  }

  recovered(): Promise<RecoveredMetadata> {
    return this.#control.calls.recovered()
  }

  layout(): Promise<LogDirectoryLayout> {
    return this.#control.with({ hold: false }).layout()
  }

  knownProducers(slot: number, topicId: TopicId, endOffset: number): KnownProducers | undefined {
    const known = this.#known.get(slot)
    if (known === 'asked') return undefined
    this.#known.delete(slot)
    // What went out of memory since it was asked it may not know.
    if (known !== undefined && known.endOffset >= endOffset) return known
    this.#known.set(slot, 'asked')
    this.#control
      .with({ hold: false })
      .knownProducers(slot, topicId)
      .then(
        (answer) => this.#answered(slot, answer),
        // Its thread has died, or does not know the partition yet: it is asked again.
        () => this.#answered(slot, undefined),
      )
    return undefined
  }

  close(): void {
    this.#control.close()
  }

  #connect(port: MessagePort): ControlClient<IoControl> {
    return connectControl<IoControl>(port, { name: 'the I/O thread' })
  }

  #answered(slot: number, answer: KnownProducers | undefined): void {
    if (this.#known.get(slot) !== 'asked') return
    if (answer === undefined) this.#known.delete(slot)
    else this.#known.set(slot, answer)
    if (answer !== undefined || this.#control.endedBy === undefined) this.#onAnswer()
  }

  #forgetAsked(): void {
    for (const [slot, known] of this.#known) if (known === 'asked') this.#known.delete(slot)
    this.#onAnswer()
  }
}
