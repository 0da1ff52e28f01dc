// What the two services share: topics and what is in them, and nothing else.

import { defineTopic, json, string } from '../../src/index.ts' // in your code: from 'millrace'

/** A page that was fetched, and the bytes that the web server says were sent; null: it does not say. */
export interface Order {
  readonly path: string
  readonly bytes: number | null
}

export interface Invoice {
  readonly microCents: number
}

/** Key: the number of the order. */
export const orders = defineTopic('orders', { partitions: 3, key: string(), value: json<Order>() })
/** Key: the number of the order that it is for. */
export const invoices = defineTopic('invoices', { partitions: 3, key: string(), value: json<Invoice>() })
/** Orders that billing has given up, as they were, with headers that say why. */
export const deadOrders = defineTopic('orders.dead', { partitions: 1, key: string(), value: json<Order>() })
