// A broker's door to its group coordinators: their code is loaded when there is a group for the
// first time, so that a broker starts as fast as if there were none. Runs on the broker's thread.

import type { MetadataDelta } from '../metadata/metadata-delta.ts'
import { OFFSETS_TOPIC } from '../coordinator/group/offsets-topic.ts'
import { MillraceError } from '../errors.ts'
import type { GroupRequest, ThreadBell } from './broker-control.ts'
import type { GroupCoordinators, GroupCoordinatorsOptions } from './group-coordinators.ts'

export class GroupDoor {
  readonly #options: GroupCoordinatorsOptions
  #state: 'no groups' | 'loading' | 'open' | 'closed' = 'no groups'
  #groups: GroupCoordinators | undefined

  constructor(options: GroupCoordinatorsOptions) {
    this.#options = options
  }

  /** As `GroupCoordinators.follow`. */
  follow(delta: MetadataDelta | undefined): void {
    this.#groups?.follow(delta)
    if (this.#state === 'no groups' && this.#options.image().topic(OFFSETS_TOPIC) !== undefined) void this.#load()
  }

  /** As `GroupCoordinators.ask`. */
  async ask(request: GroupRequest, from: ThreadBell): Promise<unknown> {
    if (this.#groups !== undefined) return this.#groups.ask(request, from)
    throw new MillraceError('COORDINATOR_LOAD_IN_PROGRESS', 'this broker has not heard yet that there are groups: ask again in a moment')
  }

  hostGone(thread: ThreadBell): void {
    this.#groups?.hostGone(thread)
  }

  advance(): void {
    this.#groups?.advance()
  }

  close(): void {
    this.#state = 'closed'
    this.#groups?.close()
  }

  async #load(): Promise<void> {
    this.#state = 'loading'
    try {
      const { GroupCoordinators } = await import('./group-coordinators.ts')
      if (this.#state !== 'loading') return
      this.#groups = new GroupCoordinators(this.#options)
      this.#state = 'open'
      this.#groups.follow(undefined)
    } catch (error) {
      this.#options.onFatal(error)
    }
  }
}
