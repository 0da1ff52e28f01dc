// What the checker finds of groups, on histories written by hand: of every anomaly the smallest
// one that is bad, and its neighbours that are not. The log holds five records, 0 to 4.

import { describe, expect, test } from 'vitest'
import { GROUP_ANOMALY_KINDS } from './anomalies.ts'
import type { AnomalyKind } from './anomalies.ts'
import type { GroupLines } from './group-lines.ts'
import { HistoryBuilder } from './history-builder.ts'

interface Case {
  readonly what: string
  readonly found: readonly AnomalyKind[]
  readonly write: (group: GroupLines, h: HistoryBuilder) => void
}

const CASES: Case[] = [
  {
    what: 'one member reads all, settles and commits it',
    found: [],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).commits(3).got(3, 5, { settles: true }).commits(5)
      g.committed(5)
    },
  },
  {
    what: 'a log goes from one to the other and comes back',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2, { settles: true }).revoked({ committed: 2 })
      b.assigned().got(2, 3, { settles: true }).revoked({ committed: 3 })
      a.assigned().got(3, 5)
    },
  },
  {
    what: 'two groups read the same',
    found: [],
    write: (g, h) => {
      g.member().assigned().got(0, 5)
      h.group().member().assigned().got(0, 5)
    },
  },

  // dualOwner
  {
    what: 'a batch after the first of a later owner',
    found: ['dualOwner'],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2)
      b.assigned().got(0, 3)
      a.got(2, 4)
      b.got(3, 5)
    },
  },
  {
    what: 'a first batch after that of a later owner',
    found: ['dualOwner'],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned()
      b.assigned().got(0, 5)
      a.got(0, 1)
    },
  },
  {
    what: 'a batch after the first of a later owner, by one that was told by then that it has lost it',
    found: ['dualOwner'],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned()
      b.assigned().got(0, 5)
      a.lost().got(0, 1)
    },
  },
  {
    what: 'a batch after a later owner was told, and before its first',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2)
      b.assigned()
      a.got(2, 4)
      b.got(0, 5)
    },
  },
  {
    what: 'a batch that was found to be its own before the first of a later owner, and seen after it',
    found: [],
    write: (g, h) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2)
      const since = h.tick()
      b.assigned().got(0, 5)
      a.got(2, 4, { since })
    },
  },

  // notOwned
  {
    what: 'a batch of a log that was never assigned',
    found: ['notOwned'],
    write: (g) => void g.member().got(0, 5),
  },
  {
    what: 'a batch after it was revoked',
    found: ['notOwned'],
    write: (g) => void g.member().assigned().got(0, 2).revoked().got(2, 5),
  },
  {
    what: 'a batch after it was revoked and assigned again',
    found: [],
    write: (g) => void g.member().assigned().got(0, 2).revoked().assigned().got(2, 5),
  },

  // groupSkipped
  {
    what: 'an owner passes a record, that another had',
    found: ['groupSkipped'],
    write: (g) => {
      g.member().assigned().got(0, 3).lost()
      g.member().assigned().got(0, 2).got(3, 5)
    },
  },
  {
    what: 'a record below what is committed, that nobody had',
    found: ['groupSkipped'],
    write: (g) => {
      g.member().assigned().got(0, 2).lost()
      g.member().assigned().got(3, 5, { settles: true }).commits(5)
      g.committed(5)
    },
  },
  {
    what: 'a record that only one had who lost it, below what is committed',
    found: [],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).commits(3).lost()
      g.member().assigned().got(3, 5, { settles: true }).commits(5)
      g.committed(5)
    },
  },

  // groupLost
  {
    what: 'the last record, handed out to nobody',
    found: ['groupLost'],
    write: (g) => {
      g.member().assigned().got(0, 4, { settles: true }).commits(4)
      g.committed(4)
    },
  },
  {
    what: 'the last record, handed out and not committed',
    found: [],
    write: (g) => {
      g.member().assigned().got(0, 4, { settles: true }).commits(4).got(4, 5)
      g.committed(4)
    },
  },

  // groupDoubled
  {
    what: 'the next owner begins below what was acknowledged as committed',
    found: ['groupDoubled'],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).commits(3)
      g.member().assigned().got(2, 5)
    },
  },
  {
    what: 'the next owner begins below what the one before said it had committed when it let go',
    found: ['groupDoubled'],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).revoked({ committed: 3 })
      g.member().assigned().got(0, 5)
    },
  },
  {
    what: 'the next owner begins below what was settled, and not committed',
    found: [],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).lost()
      g.member().assigned().got(0, 5)
    },
  },
  {
    what: 'the next owner begins below a commit that was acknowledged after it was told',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 3, { settles: true }).asksCommit(3)
      b.assigned()
      a.commitAcked(3)
      b.got(0, 5)
    },
  },

  // groupReordered
  {
    what: 'an owner goes back',
    found: ['groupReordered'],
    write: (g) => void g.member().assigned().got(0, 3).got(2, 5),
  },
  {
    what: 'an owner that was lost and is one again goes back',
    found: [],
    write: (g) => void g.member().assigned().got(0, 3).lost().assigned().got(2, 5),
  },

  // lostCommit
  {
    what: 'less is committed than was acknowledged',
    found: ['lostCommit'],
    write: (g) => {
      g.member().assigned().got(0, 5, { settles: true }).commits(5)
      g.committed(4)
    },
  },
  {
    what: 'nothing is committed, and something was acknowledged',
    found: ['lostCommit'],
    write: (g) => {
      g.member().assigned().got(0, 5, { settles: true }).commits(5)
      g.committed(-1)
    },
  },
  {
    what: "a commit of an older epoch takes a newer one's place",
    found: ['lostCommit'],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2, { settles: true }).asksCommit(2, { epoch: 1 })
      b.assigned().got(0, 5, { settles: true }).commits(5, { epoch: 2 })
      a.commitAcked(2, { epoch: 1 })
      g.committed(2)
    },
  },
  {
    what: 'less is committed than was acknowledged since it was asked',
    found: [],
    write: (g, h) => {
      const a = g.member().assigned().got(0, 5, { settles: true })
      const since = h.tick()
      a.commits(5)
      g.committed(-1, { since })
    },
  },
  {
    what: 'less is committed, because a member of a newer epoch has asked for it',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 5, { settles: true }).commits(5, { epoch: 1 }).revoked()
      b.assigned().asksCommit(3, { epoch: 2 })
      g.committed(3)
    },
  },

  // committedTooFar
  {
    what: 'committed beyond what was settled',
    found: ['committedTooFar'],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).got(3, 5)
      g.committed(5)
    },
  },
  {
    what: 'a commit acknowledged beyond what was settled',
    found: ['committedTooFar'],
    write: (g) => void g.member().assigned().got(0, 5).commits(5),
  },
  {
    what: 'settled by one that had lost it, and committed',
    found: ['committedTooFar'],
    write: (g) => {
      g.member().assigned().got(0, 5).lost().settled(5)
      g.committed(5)
    },
  },
  {
    what: 'committed just as far as was settled',
    found: [],
    write: (g) => {
      g.member().assigned().got(0, 3, { settles: true }).got(3, 5)
      g.committed(3)
    },
  },

  // lateCommit
  {
    what: 'a commit accepted of one whose log a later owner reads',
    found: ['lateCommit'],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2, { settles: true })
      b.assigned().got(0, 5)
      a.commits(2)
    },
  },
  {
    what: 'a commit asked before a later owner reads, acknowledged after',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2, { settles: true }).asksCommit(2)
      b.assigned().got(0, 5)
      a.commitAcked(2)
    },
  },
  {
    what: 'a commit asked after a later owner reads, and refused',
    found: [],
    write: (g) => {
      const [a, b] = [g.member(), g.member()]
      a.assigned().got(0, 2, { settles: true })
      b.assigned().got(0, 5)
      a.asksCommit(2)
    },
  },
]

function history(one: Case): HistoryBuilder {
  const h = new HistoryBuilder()
  const p = h.producer().acked(0, 1, 2, 3, 4)
  one.write(h.group(), h)
  h.drained([0, 1, 2, 3, 4].map((number) => [p, number] as const))
  return h
}

describe('the checker finds', () => {
  test.each(CASES.filter(({ found }) => found.length > 0))('$what: $found', (one) => {
    expect(history(one).found()).toEqual(one.found)
  })

  test('an anomaly of every kind in these', () => {
    const found = new Set(CASES.flatMap((one) => one.found))
    expect([...found].sort()).toEqual(Object.keys(GROUP_ANOMALY_KINDS).sort())
  })
})

describe('the checker lets pass', () => {
  test.each(CASES.filter(({ found }) => found.length === 0))('$what', (one) => {
    expect(history(one).found()).toEqual([])
  })
})
