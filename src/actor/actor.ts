// What an actor is: an object with a mailbox that handles one message at a time.
//
// Runs on one thread, for ever the same. Holds, by actor-cell.ts: hooks and messages
// of an instance never overlap, an asynchronous one included; `onStart` is the first,
// `onStop` the last; an instance that threw gets no further message.

/** Why an instance ends: it was stopped, or one of its hooks or messages threw. */
export type StopReason = 'stopped' | 'failed'

export interface Actor<Message> {
  /** Before the first message. A throw is a failure like any other. */
  onStart?(): void | Promise<void>
  /** One message, to completion: the next one waits until this has returned or its promise has settled. */
  receive(message: Message): void | Promise<void>
  /** After the last message: let go of timers, ports and bells here. A throw is reported and changes nothing. */
  onStop?(reason: StopReason): void | Promise<void>
}

/** The answering half of an `ask`: the message carries it, the actor calls it, now or later, once. */
export interface Reply<Answer> {
  resolve(answer: Answer): void
  reject(error: unknown): void
}
