// A service: makes an order of each line of an access log. It knows of nobody who reads them.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { workerData } from 'node:worker_threads'
import { createGunzip } from 'node:zlib'
import type { MillraceHandle, ProducerRecord } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts'
import { sendAll } from '../../src/streams.ts' // from 'millrace/streams'
import { orders } from './topics.ts'
import type { Order } from './topics.ts'

const { handle, log } = workerData as { handle: MillraceHandle; log: string }
const millrace = await attachMillrace(handle)
await sendAll(await millrace.topic(orders), ordersOf(log))
await millrace.close()

async function* ordersOf(path: string): AsyncGenerator<ProducerRecord<string, Order>> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    const [, page = '', bytes] = /"\S+ (\S+) [^"]*" \d+ (\d+|-)/.exec(line) ?? []
    yield { key: String(++number), value: { path: page, bytes: bytes === '-' || bytes === undefined ? null : Number(bytes) } }
  }
}
