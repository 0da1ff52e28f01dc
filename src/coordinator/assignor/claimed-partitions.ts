// Whose a partition is, when members join and say what they hold (KIP-792). A member that
// missed a generation may claim what was given to another meanwhile: the newest claim counts.
// Pure.

import type { ClassicSubscription } from './classic-assignor.ts'

/** Who claims one partition. */
interface Claims {
  /** undefined: two claim it from the same generation, so neither may go on with it. */
  owner: string | undefined
  generation: number
}

export class ClaimedPartitions {
  readonly #claims = new Map<string, Claims[]>()

  constructor(members: readonly ClassicSubscription[]) {
    for (const { memberId, owned, generation } of members) {
      for (const [topic, partitions] of owned) {
        let claims = this.#claims.get(topic)
        if (claims === undefined) this.#claims.set(topic, (claims = []))
        for (const partition of new Set(partitions)) claim(claims, partition, memberId, generation)
      }
    }
  }

  /** The one member whose claim is the newest. */
  ownerOf(topic: string, partition: number): string | undefined {
    return this.#claims.get(topic)?.[partition]?.owner
  }

  /** Somebody who is not its owner cannot have it at once: another still holds it, or says so. */
  isHeldBackFrom(memberId: string, topic: string, partition: number): boolean {
    const claims = this.#claims.get(topic)?.[partition]
    return claims !== undefined && claims.owner !== memberId
  }
}

function claim(claims: Claims[], partition: number, memberId: string, generation: number): void {
  const known = claims[partition]
  if (known === undefined) {
    claims[partition] = { owner: memberId, generation }
    return
  }
  if (generation > known.generation) {
    known.owner = memberId
    known.generation = generation
  } else if (generation === known.generation) {
    known.owner = undefined
  }
}
