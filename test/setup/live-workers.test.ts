import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { LiveWorkers } from './live-workers.ts'

const workers = new LiveWorkers()

afterEach(() => workers.unwatch())

test('a thread that ends in time is no leak', async () => {
  workers.watch()
  const worker = new Worker('require("node:worker_threads").parentPort.once("message", () => process.exit())', { eval: true })
  const exited = once(worker, 'exit')
  worker.postMessage('end')
  expect(await workers.settle(10_000)).toBe(0)
  await exited
})

test('a thread that goes on is counted and ended', async () => {
  workers.watch()
  const worker = new Worker('require("node:worker_threads").parentPort.on("message", () => {})', { eval: true })
  const exited = once(worker, 'exit')
  expect(await workers.settle(50)).toBe(1)
  await exited
  expect(workers.count).toBe(0)
})
