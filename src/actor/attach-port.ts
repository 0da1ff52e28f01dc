// How a thread that was handed nothing but data reaches the thread that opened
// millrace: a token, the opener's worker_threads id, and `postMessageToThread`.
//
//   attaching thread                                        opener
//   openAttachPort ── { millrace: 'attach', token, ── process 'workerMessage' ──▶ the listener
//        │               port, answerPort }                                       of that token
//        ◀──────────── answerPort: accepted, or why not ──────────────────────────────┘
//        ▼
//   the other end of `port`: nothing was read from it, so nothing said on it is lost
//
// Node.js routes such a message through the main thread: the event loops of the main
// thread and of the opener must run. One that is blocked delays the answer, and after
// `timeoutMs` the attempt fails; a message that arrives later brings a port that is
// closed already. Holds: an attempt always ends, in a port or a typed error; it keeps
// the process alive meanwhile; listening keeps nothing alive. Within the opener's own
// thread, where Node.js refuses such messages, the listener is called directly.

import { MessageChannel, threadId as ownThreadId, postMessageToThread, receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { errorFromData, errorToData, MillraceError } from '../errors.ts'
import type { ErrorData } from '../errors.ts'
import { newMessageChannel } from './port-pair.ts'
import type { NewPortPair } from './port-pair.ts'

export const ATTACH_TIMEOUT_MS = 30_000

/** Where to attach: plain data, the core of a handle. */
export interface AttachAddress {
  /** Names one listener of the opener; unguessable tokens keep strangers' handles apart. */
  readonly token: string
  /** The worker_threads id of the opener's thread: 0 is the main thread. */
  readonly threadId: number
}

export interface OpenAttachPortOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/** Takes the port of a thread that attaches (its worker_threads id beside it). A throw refuses it with that error. */
export type AttachListener = (port: MessagePort, fromThreadId: number) => void

interface AttachMessage {
  readonly millrace: 'attach'
  readonly token: string
  readonly port: MessagePort
  readonly answerPort: MessagePort
}

type AttachAnswer = { readonly accepted: true } | { readonly error: ErrorData }

interface Listening {
  readonly onPort: AttachListener
  readonly newPortPair: NewPortPair
}

const LISTENERS = new Map<string, Listening>()

/**
 * Accepts threads that attach with `token`, until the returned function is called. `newPortPair` makes the channel for the
 * opener's own thread.
 */
export function listenForAttach(token: string, onPort: AttachListener, newPortPair = newMessageChannel): () => void {
  if (LISTENERS.has(token)) throw new MillraceError('DUPLICATE_RESOURCE', 'this attach token is listened for already')
  if (LISTENERS.size === 0) process.on('workerMessage', onWorkerMessage)
  LISTENERS.set(token, { onPort, newPortPair })
  return () => {
    if (LISTENERS.get(token)?.onPort !== onPort) return
    LISTENERS.delete(token)
    if (LISTENERS.size === 0) process.off('workerMessage', onWorkerMessage)
  }
}

/**
 * Opens a port to the listener of `address`. Rejects with THREAD_DIED (not retriable: it does not
 * come back under this id) when the opener's thread has ended, CLOSED when it no longer listens for
 * the token, REQUEST_TIMED_OUT when its event loop or the main thread's does not run, ABORTED, or
 * what the listener threw.
 */
export function openAttachPort(address: AttachAddress, options: OpenAttachPortOptions = {}): Promise<MessagePort> {
  const { signal } = options
  if (signal?.aborted === true) return Promise.reject(abortedAttach(signal))
  if (address.threadId === ownThreadId) return openDirectly(address)
  const { token, threadId } = address
  const clock = options.clock ?? systemClock
  const timeoutMs = options.timeoutMs ?? ATTACH_TIMEOUT_MS
  const channel = new MessageChannel()
  const answers = new MessageChannel()
  return new Promise((resolve, reject) => {
    let settled = false
    const settle = (error: Error | undefined): void => {
      if (settled) return
      settled = true
      timer.cancel()
      signal?.removeEventListener('abort', abort)
      answers.port1.close()
      if (error === undefined) {
        resolve(channel.port1)
      } else {
        channel.port1.close()
        reject(error)
      }
    }
    const abort = (): void => settle(abortedAttach(signal!))
    // Not a timeout of postMessageToThread: V8 keeps a timed wait until it expires.
    const timer = clock.setTimer(timeoutMs, () => settle(timedOut(threadId, timeoutMs)))
    signal?.addEventListener('abort', abort)
    const answered = (answer: AttachAnswer): void => settle('error' in answer ? errorFromData(answer.error) : undefined)
    // Listening refs the port: that keeps the process alive, which postMessageToThread's own wait does not.
    answers.port1.on('message', answered)
    answers.port1.on('close', () => settle(gone(threadId, 'ended before it answered')))
    const message: AttachMessage = { millrace: 'attach', token, port: channel.port2, answerPort: answers.port2 }
    postMessageToThread(threadId, message, [channel.port2, answers.port2]).catch((error: unknown) => {
      // Also a throw of somebody else's listener ends here. If ours ran, its answer lies in the queue by now.
      const answer = receiveMessageOnPort(answers.port1) as { message: AttachAnswer } | undefined
      if (answer !== undefined) answered(answer.message)
      else settle(undelivered(threadId, error))
    })
  })
}

async function openDirectly({ token, threadId }: AttachAddress): Promise<MessagePort> {
  const listening = LISTENERS.get(token)
  if (listening === undefined) throw notListening(threadId)
  const { port1, port2 } = listening.newPortPair()
  try {
    listening.onPort(port2, threadId)
  } catch (error) {
    port1.close()
    throw error
  }
  return port1
}

function onWorkerMessage(message: unknown, fromThreadId: number): void {
  // The program may send messages of its own between its threads.
  if (!isAttachMessage(message)) return
  const { token, port, answerPort } = message
  let answer: AttachAnswer = { accepted: true }
  try {
    const listening = LISTENERS.get(token)
    if (listening === undefined) throw notListening(ownThreadId)
    listening.onPort(port, fromThreadId)
  } catch (error) {
    port.close()
    answer = { error: errorToData(error) }
  }
  // The asking side closes this channel when it has read the answer.
  answerPort.postMessage(answer)
}

function isAttachMessage(message: unknown): message is AttachMessage {
  return typeof message === 'object' && message !== null && (message as Partial<AttachMessage>).millrace === 'attach'
}

function notListening(threadId: number): MillraceError {
  return new MillraceError(
    'CLOSED',
    `thread ${threadId} runs, but the millrace of this handle was closed there: open one and hand over its handle`,
  )
}

function gone(threadId: number, how: string, cause?: unknown): MillraceError {
  const message = `thread ${threadId}, which opened millrace, ${how}: hand over a handle of a millrace that is open`
  return new MillraceError('THREAD_DIED', message, { cause, retriable: false })
}

function undelivered(threadId: number, error: unknown): MillraceError {
  const { code } = error as { code?: unknown }
  // No such thread, or nobody in it listens.
  if (code === 'ERR_WORKER_MESSAGING_FAILED') return gone(threadId, 'has ended or has closed it', error)
  return new MillraceError('UNKNOWN_SERVER_ERROR', `the message that attaches did not reach thread ${threadId}`, { cause: error })
}

function timedOut(threadId: number, timeoutMs: number): MillraceError {
  const message =
    `thread ${threadId}, which opened millrace, did not answer within ${timeoutMs} ms: ` +
    "attaching needs its event loop and the main thread's to run, and one of them is blocked"
  return new MillraceError('REQUEST_TIMED_OUT', message)
}

function abortedAttach(signal: AbortSignal): MillraceError {
  return new MillraceError('ABORTED', 'attaching was aborted', { cause: signal.reason })
}
