// Two small services, each on a thread of its own, that talk through topics only:
//
//   shop ─▶ orders ─▶ billing ─▶ invoices
//                        └─────▶ orders.dead     what can never be billed
//
// This thread opens the millrace, starts both, and does the books.
//
//   node examples/services/main.ts

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { lastValueFrom, merge, take } from 'rxjs'
import { openMillrace } from '../../src/index.ts' // in your code: from 'millrace'
import { fromTopic } from '../../src/rxjs.ts' // from 'millrace/rxjs'
import { deadOrders, invoices, orders } from './topics.ts'

const millrace = await openMillrace()
const made = await millrace.topic(orders)
const billed = await millrace.topic(invoices)
const dead = await millrace.topic(deadOrders)

const { handle } = millrace
const log = fileURLToPath(new URL('../data/access.log.gz', import.meta.url))
const billing = new Worker(new URL('./billing.ts', import.meta.url), { workerData: { handle } })
const shop = new Worker(new URL('./shop.ts', import.meta.url), { workerData: { handle, log } })
await once(shop, 'exit')

const outcomes = new Map<string, string[]>() // of each order, by its number
for await (const { key } of millrace.consumer().records(made, { until: 'end' })) outcomes.set(key, [])

// As many as there are orders have come out; then billing is asked to end, and nothing follows.
await lastValueFrom(merge(fromTopic(billed), fromTopic(dead)).pipe(take(outcomes.size)))
billing.postMessage('end')
const [{ retried }] = (await once(billing, 'message')) as [{ retried: number }]

let microCents = 0
let invoiced = 0
const reasons = new Map<string, number>()
for await (const { key, value } of millrace.consumer().records(billed, { until: 'end' })) {
  outcomes.get(key)?.push('invoice')
  microCents += value.microCents
  invoiced++
}
for await (const { key, headers } of millrace.consumer().records(dead, { until: 'end' })) {
  const reason = headers.get('millrace.dlt.error.message') ?? ''
  outcomes.get(key)?.push(reason)
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
}
await millrace.close()

console.log(`${outcomes.size} orders; ${retried} times the bank was asked once more`)
console.log(`${invoiced} invoices, ${(microCents / 1e8).toFixed(2)} in all`)
for (const [reason, count] of reasons) console.log(`${count} dead letters: ${reason}`)
const isProven = [...outcomes.values()].every((each) => each.length === 1)
console.log(isProven ? 'proven: each order has one invoice or one dead letter' : 'FAILED: some orders have none, or several')
process.exitCode = isProven ? 0 : 1
