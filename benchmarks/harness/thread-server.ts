// The other end of BenchThread: a worker answers questions by name, several at a time.

import { parentPort } from 'node:worker_threads'
import type { Answer, Question } from './bench-thread.ts'

export type Handlers = Readonly<Record<string, (args: never) => unknown>>

export function serve(handlers: Handlers): void {
  const port = parentPort
  if (port === null) throw new Error('this module runs on a worker thread of the benchmark')
  const answer = (message: Answer): void => port.postMessage(message)
  port.on('message', (question: Question) => {
    const handler = handlers[question.name] as ((args: unknown) => unknown) | undefined
    Promise.resolve()
      .then(() => {
        if (handler === undefined) throw new Error(`there is no question "${question.name}"`)
        return handler(question.args)
      })
      .then(
        (value) => answer({ id: question.id, ok: true, value }),
        (error: unknown) => {
          const cause = error instanceof Error ? error : new Error(String(error))
          answer({ id: question.id, ok: false, message: cause.message, stack: cause.stack })
        },
      )
  })
}
