// The checker on histories written by hand: of every anomaly the smallest one that is
// bad, and its neighbour that is not.

import { describe, expect, test } from 'vitest'
import { LOG_ANOMALY_KINDS } from './anomalies.ts'
import type { AnomalyKind } from './anomalies.ts'
import { HistoryBuilder } from './history-builder.ts'
import { ACKED, AT_WORK, CLOSED, DOUBT, NO_PROMISE, ONCE } from './history.ts'

const EDGE = Number.MAX_SAFE_INTEGER - 10

interface Case {
  readonly what: string
  readonly found: readonly AnomalyKind[]
  readonly write: (h: HistoryBuilder) => void
  readonly logs?: number
  readonly keepsAll?: boolean
}

const WELL: Case[] = [
  {
    what: 'nothing at all',
    found: [],
    write: (h) => h.drained([]),
  },
  {
    what: 'two producers, two logs, a reader and the drain',
    found: [],
    logs: 2,
    write: (h) => {
      const p = h.producer().acked(0)
      const q = h.producer().acked(1)
      p.acked(2)
      q.complete(q.invoke(1), ACKED, 0)
      h.reader().start().read(0, p, 0).read(1, q, 0)
      h.drained([
        [p, 0],
        [q, 0],
        [p, 1],
      ])
      h.drained([[q, 1]], { log: 1 })
    },
  },
  {
    what: 'offsets up to 2^53',
    found: [],
    write: (h) => {
      const p = h.producer().acked(EDGE, EDGE + 1)
      h.drained(
        [
          [p, 0],
          [p, 1],
        ],
        { from: EDGE },
      )
    },
  },
]

const CASES: Case[] = [
  // lost
  {
    what: 'acknowledged, passed over by the drain',
    found: ['gap', 'lost'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.drain.start().read(0, p, 0).read(2, p, 2).end(3)
    },
  },
  {
    what: 'acknowledged, another record in its place',
    found: ['lost', 'refusedButRead'],
    write: (h) => {
      h.producer().acked(0)
      h.drained([[h.producer().refused(), 0]])
    },
  },
  {
    what: 'acknowledged without an offset, a later one of the same producer is there',
    found: ['lost'],
    write: (h) => {
      const p = h.producer().acked(-1, -1, -1)
      h.drained([
        [p, 0],
        [p, 2],
      ])
    },
  },
  {
    what: 'acknowledged, below the first offset that is left',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.drained([[p, 2]], { from: 2 })
    },
  },
  {
    what: 'acknowledged without an offset, before all that retention has left',
    found: [],
    write: (h) => {
      const p = h.producer().acked(-1, -1, -1)
      h.drained([[p, 2]], { from: 2 })
    },
  },
  {
    what: 'acknowledged without an offset, after one that retention has left',
    found: ['lost'],
    write: (h) => {
      const p = h.producer().acked(2, -1, -1)
      h.drained(
        [
          [p, 0],
          [p, 2],
        ],
        { from: 2 },
      )
    },
  },
  {
    what: 'in doubt, and not there',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0).doubt().acked(1)
      h.drained([
        [p, 0],
        [p, 2],
      ])
    },
  },
  {
    what: 'acknowledged, in a log that others chose, and nowhere',
    found: ['lost'],
    logs: 2,
    write: (h) => {
      const p = h.producer()
      p.complete(p.invoke(-1), ACKED)
      h.drained([])
      h.drained([], { log: 1 })
    },
  },
  {
    what: 'acknowledged, in a log that others chose, and there',
    found: [],
    logs: 2,
    write: (h) => {
      const p = h.producer()
      p.complete(p.invoke(-1), ACKED)
      h.drained([])
      h.drained([[p, 0]], { log: 1 })
    },
  },
  // unseen
  {
    what: 'acknowledged at the tail, not in the drain',
    found: ['unseen'],
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'acknowledged without an offset, and last',
    found: ['unseen'],
    write: (h) => {
      const p = h.producer().acked(0, -1)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'in doubt at the tail',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0).doubt()
      h.drained([[p, 0]])
    },
  },
  // doubled
  {
    what: 'one record at two offsets',
    found: ['doubled'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.drained([
        [p, 0],
        [p, 0],
      ])
    },
  },
  {
    what: 'one record at two offsets, of a producer that promises nothing else',
    found: [],
    write: (h) => {
      const p = h.producer(NO_PROMISE).acked(0)
      h.drained([
        [p, 0],
        [p, 0],
      ])
    },
  },
  {
    what: 'one record read by two readers',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().start().read(0, p, 0)
      h.reader().start().read(0, p, 0)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'one record in two logs',
    found: ['doubled'],
    logs: 2,
    write: (h) => {
      const p = h.producer()
      p.complete(p.invoke(-1), ACKED)
      h.drained([[p, 0]])
      h.drained([[p, 0]], { log: 1 })
    },
  },
  // reordered
  {
    what: 'the second send before the first',
    found: ['reordered'],
    write: (h) => {
      const p = h.producer()
      const [first, second] = [p.invoke(), p.invoke()]
      p.complete(first, ACKED, 1).complete(second, ACKED, 0)
      h.drained([
        [p, 1],
        [p, 0],
      ])
    },
  },
  {
    what: 'a record in doubt that came late',
    found: ['reordered'],
    write: (h) => {
      const p = h.producer()
      const [first, second] = [p.invoke(), p.invoke()]
      p.complete(first, 3).complete(second, ACKED, 0)
      h.drained([
        [p, 1],
        [p, 0],
      ])
    },
  },
  {
    what: 'two records appended again without sequence numbers, the second of them read where it was first alone',
    found: [],
    write: (h) => {
      const [p, q] = [h.producer(NO_PROMISE), h.producer()]
      const [first, second] = [p.invoke(), p.invoke()]
      p.complete(first, ACKED, 2).complete(second, DOUBT)
      q.acked(4)
      h.reader().start().read(0, p, 0).read(1, p, 1).read(2, p, 0)
      h.drained([[q, 0]], { from: 4 })
    },
  },
  {
    what: 'without sequence numbers, a record in doubt that came early and is there',
    found: ['reordered'],
    write: (h) => {
      const p = h.producer(NO_PROMISE)
      const [first, second] = [p.invoke(), p.invoke()]
      p.complete(first, ACKED, 1).complete(second, DOUBT)
      h.drained([
        [p, 1],
        [p, 0],
      ])
    },
  },
  {
    what: 'two producers at once, the second to begin is the first in the log',
    found: [],
    write: (h) => {
      const [p, q] = [h.producer(), h.producer()]
      const [first, second] = [p.invoke(), q.invoke()]
      p.complete(first, ACKED, 1)
      q.complete(second, ACKED, 0)
      h.drained([
        [q, 0],
        [p, 0],
      ])
    },
  },
  // holed
  {
    what: 'of what was under way at its death, the second is there and the first is not',
    found: ['holed'],
    write: (h) => {
      const p = h.producer().acked(0).pending().pending().ended()
      h.drained([
        [p, 0],
        [p, 2],
      ])
    },
  },
  {
    what: 'of what was under way at its death, the first is there and the second is not',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0).pending().pending().ended()
      h.drained([
        [p, 0],
        [p, 1],
      ])
    },
  },
  {
    what: 'of what was under way at its death, the first may have gone by retention',
    found: [],
    write: (h) => {
      const p = h.producer().pending().pending().ended()
      h.drained([[p, 1]], { from: 7 })
    },
  },
  {
    what: 'a producer that gives up leaves out what was under way',
    found: [],
    write: (h) => {
      const p = h.producer(ONCE).pending().pending().ended()
      h.drained([[p, 1]])
    },
  },
  // changed
  {
    what: 'other bytes',
    found: ['changed'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.drain.start().read(0, p, 0, { hash: 77 }).end(1)
    },
  },
  {
    what: 'bytes that change from one reader to the next',
    found: ['changed', 'inconsistent'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().start().read(0, p, 0, { hash: 77 })
      h.drained([[p, 0]])
    },
  },
  // invented
  {
    what: 'a producer that does not exist',
    found: ['invented'],
    write: (h) => h.drain.start().read(0, 3, 0).end(1),
  },
  {
    what: 'a number that was not sent',
    found: ['invented'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.drained([
        [p, 0],
        [p, 1],
      ])
    },
  },
  {
    what: 'a record in another log than it was sent to',
    found: ['invented', 'unseen'],
    logs: 2,
    write: (h) => {
      const p = h.producer().acked(0)
      h.drained([])
      h.drained([[p, 0]], { log: 1 })
    },
  },
  {
    what: 'a record whose producer died before it heard of it',
    found: [],
    write: (h) => {
      const p = h.producer().pending().ended()
      h.drained([[p, 0]])
    },
  },
  // refusedButRead
  {
    what: 'refused, and there',
    found: ['refusedButRead'],
    write: (h) => {
      const p = h.producer().refused()
      h.drained([[p, 0]])
    },
  },
  {
    what: 'refused, and not there',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0).refused().acked(1)
      h.drained([
        [p, 0],
        [p, 2],
      ])
    },
  },
  {
    what: 'in doubt, and there',
    found: [],
    write: (h) => {
      const p = h.producer().doubt()
      h.drained([[p, 0]])
    },
  },
  // inconsistent
  {
    what: 'two readers see two records at one offset',
    found: ['inconsistent', 'lost'],
    write: (h) => {
      const [p, q] = [h.producer().doubt(), h.producer().acked(-1, -1)]
      h.reader().start().read(0, p, 0)
      h.drained([[q, 1]])
    },
  },
  {
    what: 'two records are acknowledged with one offset',
    found: ['inconsistent', 'misplaced'],
    write: (h) => {
      const [p, q] = [h.producer().acked(0), h.producer().acked(0)]
      h.drained([
        [p, 0],
        [q, 0],
      ])
    },
  },
  {
    what: 'one record, one offset, two leader epochs',
    found: ['inconsistent'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().start().read(0, p, 0, { epoch: 1 })
      h.drain.start().read(0, p, 0, { epoch: 2 }).end(1)
    },
  },
  {
    what: 'the same offset in two logs',
    found: [],
    logs: 2,
    write: (h) => {
      const p = h.producer().acked(0)
      p.complete(p.invoke(1), ACKED, 0)
      h.drained([[p, 0]])
      h.drained([[p, 1]], { log: 1 })
    },
  },
  // misplaced
  {
    what: 'acknowledged one too high',
    found: ['misplaced'],
    write: (h) => {
      const p = h.producer().acked(1)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'the answers of two batches are swapped',
    found: ['misplaced'],
    write: (h) => {
      const [p, q] = [h.producer(), h.producer()]
      const [first, second] = [p.invoke(), q.invoke()]
      p.complete(first, ACKED, 1)
      q.complete(second, ACKED, 0)
      h.drained([
        [p, 0],
        [q, 0],
      ])
    },
  },
  {
    what: 'appended again without a sequence number, and read where it was first before retention took both',
    found: [],
    write: (h) => {
      const [p, q] = [h.producer(NO_PROMISE).acked(1), h.producer().acked(2)]
      h.reader().start().read(0, p, 0)
      h.drained([[q, 0]], { from: 2 })
    },
  },
  {
    what: 'the same with a sequence number',
    found: ['misplaced'],
    write: (h) => {
      const [p, q] = [h.producer(ONCE).acked(1), h.producer().acked(2)]
      h.reader().start().read(0, p, 0)
      h.drained([[q, 0]], { from: 2 })
    },
  },
  {
    what: 'without a sequence number, and what it was acknowledged as is behind the start of the log',
    found: ['misplaced'],
    write: (h) => {
      const [p, q] = [h.producer(NO_PROMISE).acked(1), h.producer().doubt()]
      h.reader().start().read(0, p, 0)
      h.drained([[q, 0]], { from: 1 })
    },
  },
  {
    what: 'without a sequence number, and another was read where it was acknowledged',
    found: ['misplaced'],
    write: (h) => {
      const [p, q] = [h.producer(NO_PROMISE).acked(1), h.producer().doubt().acked(2)]
      h.reader().start().read(0, p, 0).read(1, q, 0)
      h.drained([[q, 1]], { from: 2 })
    },
  },
  {
    what: 'without a sequence number, acknowledged before the place where it was read',
    found: ['misplaced'],
    write: (h) => {
      const [p, q] = [h.producer(NO_PROMISE).acked(0), h.producer().acked(2)]
      h.reader().start(0, 1).read(1, p, 0)
      h.drained([[q, 0]], { from: 2 })
    },
  },
  {
    what: 'acknowledged without an offset, and there',
    found: [],
    write: (h) => {
      const p = h.producer().acked(-1)
      h.drained([[p, 0]])
    },
  },
  // skipped
  {
    what: 'a reader passes an offset',
    found: ['skipped'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).read(2, p, 2)
      h.drained([
        [p, 0],
        [p, 1],
        [p, 2],
      ])
    },
  },
  {
    what: 'a reader begins behind what is still there',
    found: ['skipped'],
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.reader().start().read(1, p, 1)
      h.drained([
        [p, 0],
        [p, 1],
      ])
    },
  },
  {
    what: 'a reader is told of retention that has not come so far',
    found: ['skipped'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).overtaken(1, 2).read(2, p, 2)
      h.drained(
        [
          [p, 1],
          [p, 2],
        ],
        { from: 1 },
      )
    },
  },
  {
    what: 'a reader that never said where it begins',
    found: ['skipped'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().read(0, p, 0)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'a reader that was overtaken, and says so',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).overtaken(1, 2).read(2, p, 2)
      h.drained([[p, 2]], { from: 2 })
    },
  },
  {
    what: 'a reader that goes somewhere by itself',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).start(0, 2).read(2, p, 2)
      h.drained([
        [p, 0],
        [p, 1],
        [p, 2],
      ])
    },
  },
  // reread
  {
    what: 'a reader reads a record twice',
    found: ['reread'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().start().read(0, p, 0).read(0, p, 0)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'a reader goes back because it wants to',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().start().read(0, p, 0).start(0, 0).read(0, p, 0)
      h.drained([[p, 0]])
    },
  },
  // miscounted
  {
    what: 'a reader is told of one too many',
    found: ['miscounted'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).overtaken(1, 2, 2).read(2, p, 2)
      h.drained([[p, 2]], { from: 2 })
    },
  },
  {
    what: 'a reader is told of a place where it was not',
    found: ['miscounted'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.reader().start().read(0, p, 0).overtaken(0, 2).read(2, p, 2)
      h.drained([[p, 2]], { from: 2 })
    },
  },
  // gap
  {
    what: 'an offset that nobody was told of is empty',
    found: ['gap'],
    write: (h) => {
      const p = h.producer().acked(0, 2)
      h.drain.start().read(0, p, 0).read(2, p, 1).end(3)
    },
  },
  {
    what: 'the drain stops before the end',
    found: ['gap'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.drain.start().read(0, p, 0).end(2)
    },
  },
  {
    what: 'the drain begins behind the first offset',
    found: ['gap'],
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.drain.start().read(1, p, 1).end(2, { first: 0 })
    },
  },
  {
    what: 'the drain finds nothing where there should be something',
    found: ['gap', 'unseen'],
    write: (h) => {
      h.producer().acked(0)
      h.drain.start().end(1, { first: 0 })
    },
  },
  {
    what: 'all went by retention',
    found: [],
    write: (h) => {
      h.producer().acked(0)
      h.drain.start().end(1, { first: 1 })
    },
  },
  {
    what: 'retention goes on while the drain reads',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.drain.start().read(0, p, 0).overtaken(1, 2).read(2, p, 2).end(3, { first: 2 })
    },
  },
  {
    what: 'the drain is told of retention that did not come so far',
    found: ['lost', 'skipped'],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.drain.start().read(0, p, 0).overtaken(1, 2).read(2, p, 2).end(3, { first: 0 })
    },
  },
  // regressed
  {
    what: 'read while it ran, and not in the drain',
    found: ['regressed'],
    write: (h) => {
      const p = h.producer().acked(0).doubt()
      h.reader().start().read(0, p, 0).read(1, p, 1)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'an end that was announced goes back',
    found: ['regressed'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().seen(0, 2).seen(0, 1)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'a first offset that goes back',
    found: ['regressed'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().seen(1, 2).seen(0, 2)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'an end that was announced is not reached',
    found: ['regressed'],
    write: (h) => {
      const p = h.producer().acked(0)
      h.reader().seen(0, 2)
      h.drained([[p, 0]])
    },
  },
  {
    what: 'read while it ran, and gone by retention',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.reader().start().read(0, p, 0).seen(0, 1).seen(1, 2)
      h.drained([[p, 1]], { from: 1 })
    },
  },
  // epochBack
  {
    what: 'an older leader epoch at a higher offset',
    found: ['epochBack'],
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.drain.start().read(0, p, 0, { epoch: 2 }).read(1, p, 1, { epoch: 1 }).end(2)
    },
  },
  {
    what: 'an announced leader epoch that goes back',
    found: ['epochBack'],
    write: (h) => {
      h.reader().seen(0, 0, 2).seen(0, 0, 1)
      h.drained([])
    },
  },
  {
    what: 'a leader epoch that rises',
    found: [],
    write: (h) => {
      const p = h.producer().acked(0, 1, 2)
      h.drain.start().read(0, p, 0, { epoch: 1 }).read(1, p, 1, { epoch: 1 }).read(2, p, 2, { epoch: 4 }).end(3)
    },
  },
  // backdated
  {
    what: 'sent after another was acknowledged, before it in the log',
    found: ['backdated'],
    write: (h) => {
      const p = h.producer().acked(1)
      const q = h.producer().acked(0)
      h.drained([
        [q, 0],
        [p, 0],
      ])
    },
  },
  {
    what: 'sent before another was acknowledged, before it in the log',
    found: [],
    write: (h) => {
      const [p, q] = [h.producer(), h.producer()]
      const early = q.invoke()
      p.acked(1)
      q.complete(early, ACKED, 0)
      h.drained([
        [q, 0],
        [p, 0],
      ])
    },
  },
  // trimmed
  {
    what: 'a log that keeps everything begins above 0',
    found: ['trimmed'],
    keepsAll: true,
    write: (h) => {
      const p = h.producer().acked(0, 1)
      h.drained([[p, 1]], { from: 1 })
    },
  },
  // hung
  {
    what: 'a send that never ended',
    found: ['hung'],
    write: (h) => {
      h.producer().pending()
      h.drained([])
    },
  },
  {
    what: 'a producer that never ended',
    found: ['hung'],
    write: (h) => {
      h.producer().ended(AT_WORK)
      h.drained([])
    },
  },
  {
    what: 'a reader that never ended',
    found: ['hung'],
    write: (h) => {
      h.reader().tape.end(AT_WORK)
      h.drained([])
    },
  },
  {
    what: 'a send whose producer died',
    found: [],
    write: (h) => {
      h.producer().pending().ended()
      h.drained([])
    },
  },
  // undrained
  {
    what: 'a log that the drain left out',
    found: ['undrained'],
    logs: 2,
    write: (h) => h.drained([]),
  },
]

function builder({ logs = 1, keepsAll = false }: Case): HistoryBuilder {
  return new HistoryBuilder({ logs, keepsAll })
}

describe('the checker finds', () => {
  test.each(CASES.filter(({ found }) => found.length > 0))('$what: $found', (one) => {
    const history = builder(one)
    one.write(history)
    expect(history.found()).toEqual(one.found)
  })

  test('an anomaly of every kind in these', () => {
    const found = new Set(CASES.flatMap((one) => one.found))
    expect([...found].sort()).toEqual(Object.keys(LOG_ANOMALY_KINDS).sort())
  })
})

describe('the checker lets pass', () => {
  test.each([...WELL, ...CASES.filter(({ found }) => found.length === 0)])('$what', (one) => {
    const history = builder(one)
    one.write(history)
    expect(history.found()).toEqual([])
  })
})

test('a tape counts only whole rows, and takes back what was not sent', () => {
  const h = new HistoryBuilder()
  const p = h.producer().acked(0)
  p.tape.revoke(p.invoke())
  p.ended(CLOSED)
  expect(p.tape.rows).toBe(1)
  h.drained([[p, 0]])
  expect(h.found()).toEqual([])
})
