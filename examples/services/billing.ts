// A service: makes an invoice for each order, and knows of nobody who writes them. Its bank does not
// always answer the first time; an order without a size can never be billed, and is put aside.

import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { MillraceHandle } from '../../src/index.ts' // in your code: from 'millrace'
import { attachMillrace } from '../../src/index.ts'
import { fromTopic, process, toTopic } from '../../src/rxjs.ts' // from 'millrace/rxjs'
import { deadOrders, invoices, orders } from './topics.ts'
import type { Invoice, Order } from './topics.ts'

const { handle } = workerData as { handle: MillraceHandle }
const millrace = await attachMillrace(handle)
let retried = 0

const billing = fromTopic(await millrace.topic(orders), { groupId: 'billing' })
  .pipe(
    process(async ({ key, value }, { attempt }) => ({ key, value: await bill(key, value, attempt) }), {
      concurrency: 64,
      retry: { attempts: 3, backoffMs: 5 },
      deadLetterTopic: deadOrders.name,
      onRetry: () => retried++,
    }),
    toTopic(await millrace.topic(invoices)),
  )
  .subscribe()

await once(parentPort!, 'message') // all orders are billed
billing.unsubscribe()
await millrace.close()
parentPort!.postMessage({ retried })

async function bill(order: string, { bytes }: Order, attempt: number): Promise<Invoice> {
  if (bytes === null) throw Object.assign(new Error('it has no size'), { retriable: false })
  await pause(Math.random()) // the bank
  if (Number(order) % 100 === 0 && attempt === 1) throw new Error('the bank does not answer')
  return { microCents: bytes }
}
