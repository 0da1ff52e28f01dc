// The proof that every line arrived once, and in order within its client.
//
// The producer thread of a client numbers its lines 1, 2, 3 … and puts the number
// into the record. The consumer thread of the client's partition keeps a ledger of
// its own: the next number must be one more than the last. Both also chain a
// checksum of each client's lines, in order; at the end the sums over all clients
// must be equal on both sides, so a changed, lost, doubled or swapped line shows.
//
// A ledger holds one small entry for each client: this is the one thing here that
// grows with the input, and only with the number of different addresses in it.

import type { UserActivity } from './topics.ts'

interface ClientEntry {
  sequence: number
  checksum: number
}

/** What a ledger saw, as plain data; ledgers of several threads add up. */
export interface LedgerTotals {
  readonly records: number
  readonly clients: number
  readonly checksum: number
  /** Numbers that were passed over. */
  readonly missing: number
  /** Records whose number was not above the last: doubled, or out of order. */
  readonly repeated: number
}

export const EMPTY_TOTALS: LedgerTotals = { records: 0, clients: 0, checksum: 0, missing: 0, repeated: 0 }

export class ClientLedger {
  readonly #clients = new Map<string, ClientEntry>()
  #records = 0
  #missing = 0
  #repeated = 0

  /** Producer: the number of this client's next line. */
  nextSequence(client: string): number {
    return this.#entry(client).sequence + 1
  }

  /** Both sides: takes down a record that was offered, or read. */
  add(client: string, timestampMs: number, activity: UserActivity): void {
    const entry = this.#entry(client)
    const { sequence } = activity
    this.#records++
    if (sequence <= entry.sequence) {
      this.#repeated++
      return
    }
    this.#missing += sequence - entry.sequence - 1
    entry.sequence = sequence
    entry.checksum = mix(entry.checksum, activityChecksum(client, timestampMs, activity))
  }

  totals(): LedgerTotals {
    let checksum = 0
    for (const entry of this.#clients.values()) checksum = (checksum + mix(entry.checksum, entry.sequence)) | 0
    return {
      records: this.#records,
      clients: this.#clients.size,
      checksum: checksum >>> 0,
      missing: this.#missing,
      repeated: this.#repeated,
    }
  }

  #entry(client: string): ClientEntry {
    let entry = this.#clients.get(client)
    if (entry === undefined) {
      entry = { sequence: 0, checksum: 0 }
      this.#clients.set(client, entry)
    }
    return entry
  }
}

export function addTotals(a: LedgerTotals, b: LedgerTotals): LedgerTotals {
  return {
    records: a.records + b.records,
    clients: a.clients + b.clients,
    checksum: (a.checksum + b.checksum) >>> 0,
    missing: a.missing + b.missing,
    repeated: a.repeated + b.repeated,
  }
}

export function sameTotals(a: LedgerTotals, b: LedgerTotals): boolean {
  return (
    a.records === b.records && a.clients === b.clients && a.checksum === b.checksum && a.missing + a.repeated + b.missing + b.repeated === 0
  )
}

function activityChecksum(client: string, timestampMs: number, activity: UserActivity): number {
  let checksum = hashText(FNV_START, client)
  checksum = mix(checksum, timestampMs % 0x1_0000_0000)
  checksum = mix(checksum, timestampMs / 0x1_0000_0000)
  checksum = mix(checksum, activity.status)
  checksum = mix(checksum, activity.bytes)
  checksum = hashText(checksum, activity.method)
  checksum = hashText(checksum, activity.path)
  checksum = hashText(checksum, activity.protocol)
  checksum = hashText(checksum, activity.user)
  checksum = hashText(checksum, activity.referrer)
  return hashText(checksum, activity.agent)
}

// FNV-1a, over characters instead of bytes.
const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

function hashText(seed: number, text: string | null): number {
  if (text === null) return mix(seed, -1)
  let hash = mix(seed, text.length)
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  return hash
}

/** Takes one more number in; the order of numbers matters. */
function mix(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, FNV_PRIME)
  return Math.imul(product ^ (product >>> 15), 0x2c1b3c6d)
}
