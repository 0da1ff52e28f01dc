// The proof that every line arrived once, and in order within its client.
//
// The producer thread of a client numbers its lines 1, 2, 3 … and puts the number
// into the record. Whoever reads them keeps a ledger too: the next number must be
// one more than the last. Both also add up a checksum of all lines, number included;
// at the end the sums must be equal on both sides, so a changed, lost, doubled or
// swapped line shows.
//
// Ledgers of several threads add up. So do those of pieces of one partition, in the
// order of the pieces: a part of a ledger is what one batch adds to it.
//
// A ledger holds one small entry for each client: this is the one thing here that
// grows with the input, and only with the number of different addresses in it.

import type { UserActivity } from './topics.ts'

interface ClientEntry {
  /** Numbers of its first and of its last line here. */
  readonly first: number
  last: number
}

/** What a batch adds to a ledger, as plain data. */
export interface LedgerPart {
  readonly records: number
  readonly checksum: number
  readonly missing: number
  readonly repeated: number
  readonly clients: readonly (readonly [client: string, first: number, last: number])[]
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
  #checksum = 0
  #missing = 0
  #repeated = 0

  /** Producer: the number of this client's next line. */
  nextSequence(client: string): number {
    return (this.#clients.get(client)?.last ?? 0) + 1
  }

  /** Both sides: takes down a record that was offered, or read. */
  add(client: string, timestampMs: number, activity: UserActivity): void {
    this.#records++
    const { sequence } = activity
    if (this.#follow(client, sequence, sequence)) this.#checksum = (this.#checksum + activityChecksum(client, timestampMs, activity)) | 0
  }

  /** What was added to a new ledger, for `addPart` of another one. */
  part(): LedgerPart {
    const clients = [...this.#clients].map(([client, { first, last }]) => [client, first, last] as const)
    return { records: this.#records, checksum: this.#checksum, missing: this.#missing, repeated: this.#repeated, clients }
  }

  /** Parts of a partition come in its order. */
  addPart({ records, checksum, missing, repeated, clients }: LedgerPart): void {
    this.#records += records
    this.#checksum = (this.#checksum + checksum) | 0
    this.#missing += missing
    this.#repeated += repeated
    for (const [client, first, last] of clients) this.#follow(client, first, last)
  }

  totals(): LedgerTotals {
    let missing = this.#missing
    for (const { first } of this.#clients.values()) missing += first - 1
    return { records: this.#records, clients: this.#clients.size, checksum: this.#checksum >>> 0, missing, repeated: this.#repeated }
  }

  /** The next lines of a client; false: they are not above those before. */
  #follow(client: string, first: number, last: number): boolean {
    const entry = this.#clients.get(client)
    if (entry === undefined) {
      this.#clients.set(client, { first, last })
      return true
    }
    if (first <= entry.last) {
      this.#repeated++
      return false
    }
    this.#missing += first - entry.last - 1
    entry.last = last
    return true
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
  checksum = mix(checksum, activity.sequence)
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
