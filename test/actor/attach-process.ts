// A process in which only an attempt to attach, or only a listener for one, is left.

import { Worker } from 'node:worker_threads'
import { listenForAttach, openAttachPort } from '../../src/actor/attach-port.ts'

if (process.argv[2] === 'listening') {
  listenForAttach('token', () => {})
} else {
  // An opener that is busy for a while, and that keeps nothing alive.
  const source = `
    const { parentPort } = require('node:worker_threads')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    process.on('workerMessage', ({ answerPort }) => answerPort.postMessage({ accepted: true }))
    setTimeout(() => {}, 60_000)
  `
  const opener = new Worker(source, { eval: true })
  opener.unref()
  // Until the thread runs, Node.js knows no such thread.
  await new Promise((resolve) => {
    opener.ref()
    opener.once('online', resolve)
  })
  opener.unref()
  await openAttachPort({ token: 'token', threadId: opener.threadId })
  process.stdout.write('attached, ')
}
