// Calls about several things at once (Kafka: the futures by name of CreateTopicsResult and
// its kin). Every item is tried, each for itself; one promise tells of all.
// Holds: a call resolves only when all was done; when some was not, the rejection says
// which, and what is not named there was done.

import { MillraceError } from '../../errors.ts'
import type { ErrorName } from '../../errors.ts'

/**
 * What failed of a call about several things: the `cause` of its rejection. Whatever is not
 * in here was done.
 */
export class ItemFailures extends AggregateError {
  override readonly name: string = 'ItemFailures'
  /** In the order of the call. */
  declare errors: MillraceError[]
  /** By the name of what the call was about. */
  readonly byName: ReadonlyMap<string, MillraceError>

  /** Made by millrace. */
  constructor(byName: ReadonlyMap<string, MillraceError>, message: string) {
    super(byName.values(), message)
    this.byName = byName
  }
}

/** One thing of a call: its name in errors, and how it is done. */
export interface Item<Result> {
  readonly name: string
  readonly run: () => Promise<Result>
}

/** Said of the call, not of one of its items. */
const ENDS_THE_CALL: ReadonlySet<ErrorName> = new Set<ErrorName>(['ABORTED', 'CLOSED'])

/**
 * Does all of them at once; the results in their order. Rejects, when all have ended, with the code of the
 * first that failed, in their order; a call about one thing alone rejects with its error, one that was aborted
 * or closed with that. What is no MillraceError is a defect, and is thrown as it is.
 */
export async function doEach<Result>(items: readonly Item<Result>[]): Promise<Result[]> {
  if (items.length === 1) return [await items[0]!.run()]
  const settled = await Promise.allSettled(items.map(({ run }) => run()))
  const failures = new Map<string, MillraceError>()
  const results: Result[] = []
  for (const [i, outcome] of settled.entries()) {
    if (outcome.status === 'fulfilled') results.push(outcome.value)
    else if (outcome.reason instanceof MillraceError) failures.set(items[i]!.name, outcome.reason)
    else throw outcome.reason
  }
  if (failures.size === 0) return results
  for (const failure of failures.values()) if (ENDS_THE_CALL.has(failure.code)) throw failure
  const [[name, first]] = failures as unknown as [[string, MillraceError]]
  const count = `${failures.size} of ${items.length} failed`
  throw new MillraceError(first.code, `${count}, the first, ${name}: ${first.message}`, {
    retriable: [...failures.values()].every((failure) => failure.retriable),
    cause: new ItemFailures(failures, `${count}: ${[...failures.keys()].join(', ')}`),
  })
}

/** Refuses a name that is said twice: which of the two is meant would be chance. Throws INVALID_REQUEST. */
export function checkNamedOnce(names: readonly string[], what: string): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) throw new MillraceError('INVALID_REQUEST', `${what} ${name} is named twice in one call: name it once`)
    seen.add(name)
  }
}
