// Which calls of a simulated disk fail, and how. A plan is data, so a seed makes one and a failure can print it.

import type { DiskCalls } from '../../src/disk/disk-calls.ts'
import type { Random } from '../../src/random.ts'

export type CallName = keyof DiskCalls

/**
 * `short`: half of the bytes are taken, the rest not. `stop`: the call is done, and then the process is
 * gone: it and every call after it throws a SimulatedStop. All else is an errno code; of a sync it also
 * means that what should have been written never is.
 */
export type FaultKind = 'EIO' | 'ENOSPC' | 'EACCES' | 'EMFILE' | 'short' | 'stop'

export interface DiskFault {
  readonly kind: FaultKind
  /** The how manyth of its calls, from 1. */
  readonly at: number
  /** How many calls from there on. Default: 1. */
  readonly times?: number
  /** Which calls are counted. Default: those that can fail so. */
  readonly calls?: readonly CallName[]
  /** Only calls whose path contains this. */
  readonly path?: string
}

export const CHANGING_CALLS: readonly CallName[] = [
  'open',
  'write',
  'writeViews',
  'truncate',
  'sync',
  'makeDirectory',
  'rename',
  'remove',
  'removeDirectory',
  'syncDirectory',
]

const DEFAULT_CALLS: Readonly<Record<FaultKind, readonly CallName[]>> = {
  EIO: [...CHANGING_CALLS, 'read'],
  ENOSPC: ['open', 'write', 'writeViews', 'truncate', 'sync', 'makeDirectory', 'rename', 'syncDirectory'],
  EACCES: ['open', 'makeDirectory', 'rename', 'remove', 'removeDirectory', 'list'],
  EMFILE: ['open', 'list', 'syncDirectory'],
  short: ['write', 'writeViews', 'read'],
  stop: CHANGING_CALLS,
}

/** The process of a simulated disk has ended. No failure of the disk: nobody may handle it. */
export class SimulatedStop extends Error {
  override readonly name = 'SimulatedStop'
}

/** An error as Node.js throws it for a call of the system. */
export function errnoError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code, syscall: call, path })
}

/** A plan of `count` faults among the first `within` calls of their kind. */
export function seededFaults(random: Random, count: number, within: number, kinds: readonly FaultKind[]): DiskFault[] {
  return Array.from({ length: count }, () => ({ kind: kinds[random.below(kinds.length)]!, at: 1 + random.below(within) }))
}

export class FaultPlan {
  readonly #faults: { readonly fault: DiskFault; seen: number; bitten: number }[]
  readonly #counts = new Map<CallName, number>()

  constructor(faults: readonly DiskFault[]) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0, bitten: 0 }))
  }

  /** How often each call was made, those that failed too. */
  get counts(): ReadonlyMap<CallName, number> {
    return this.#counts
  }

  /** How many calls failed, or were short, or stopped. */
  get bitten(): number {
    return this.#faults.reduce((sum, { bitten }) => sum + bitten, 0)
  }

  /** Faults that have found nothing to bite on. */
  get unbitten(): DiskFault[] {
    return this.#faults.filter(({ bitten }) => bitten === 0).map(({ fault }) => fault)
  }

  /** The fault of this call; of several, the first of the plan. A call of fewer than 2 bytes cannot be short. */
  next(call: CallName, path: string, lengthInBytes: number): FaultKind | undefined {
    this.#counts.set(call, (this.#counts.get(call) ?? 0) + 1)
    let kind: FaultKind | undefined
    for (const one of this.#faults) {
      const { fault } = one
      if (!(fault.calls ?? DEFAULT_CALLS[fault.kind]).includes(call)) continue
      if (fault.path !== undefined && !path.includes(fault.path)) continue
      if (fault.kind === 'short' && lengthInBytes < 2) continue
      one.seen++
      if (kind !== undefined || one.seen < fault.at || one.seen >= fault.at + (fault.times ?? 1)) continue
      one.bitten++
      kind = fault.kind
    }
    return kind
  }
}
