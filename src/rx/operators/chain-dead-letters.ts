// The dead letters of a chain: records that an operator gave up, written as they were read.
// Opened with the first one. Runs on the subscriber's thread.

import type { DeadLetterOffice, DeadLetters } from '../../client/consumer/dead-letters.ts'
import { openDeadLetters } from '../../client/consumer/dead-letters.ts'
import { MillraceError } from '../../errors.ts'
import type { Chain } from '../chain.ts'
import { readRecordOf } from '../millrace-record.ts'
import type { MillraceRecord } from '../millrace-record.ts'

const CLOSE_TIMEOUT_MS = 5_000

export class ChainDeadLetters {
  readonly #chain: Chain
  readonly #topic: string
  #letters: Promise<DeadLetters> | undefined

  constructor(chain: Chain, topic: string) {
    this.#chain = chain
    this.#topic = topic
  }

  /** Resolves when all are acknowledged. Rejects with INVALID_REQUEST where no `fromTopic` is above. */
  async write(records: readonly MillraceRecord<unknown, unknown>[], error: unknown, attempts: number): Promise<void> {
    this.#letters ??= this.#open()
    const letters = await this.#letters
    await Promise.all(records.map((record) => letters.write(readRecordOf(record), error, attempts)))
  }

  /** What was not acknowledged yet is given its time. */
  close(): void {
    this.#letters?.then((letters) => letters.close(CLOSE_TIMEOUT_MS)).catch(() => undefined)
  }

  async #open(): Promise<DeadLetters> {
    const [source] = this.#chain.sources
    if (source === undefined)
      throw new MillraceError('INVALID_REQUEST', `dead letters for ${this.#topic} need a fromTopic(…) above: there is no record to write`)
    return openDeadLetters(source.owner as unknown as DeadLetterOffice, this.#topic, source.groupId)
  }
}
