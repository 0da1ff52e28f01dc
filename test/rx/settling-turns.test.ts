import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { SettlingTurns } from '../../src/rx/settling-turns.ts'
import type { Committable } from '../../src/rx/settling-turns.ts'

class Partition implements Committable {
  position: number | undefined
  readonly committable: number[] = []

  settled(): (() => void) | undefined {
    const { position } = this
    return position === undefined ? undefined : () => this.committable.push(position)
  }
}

function world(): { clock: VirtualClock; turns: SettlingTurns; partition: Partition } {
  const clock = new VirtualClock()
  return { clock, turns: new SettlingTurns(clock), partition: new Partition() }
}

test('what is settled may be committed a timer turn later, behind what was set in the call that settled it', () => {
  const { clock, turns, partition } = world()
  partition.position = 5
  let seen: number[] | undefined
  // As RxJS reports what a subscriber throws.
  clock.setTimer(0, () => (seen = [...partition.committable]))
  turns.note(partition)
  expect(partition.committable).toEqual([])
  clock.advance(0)
  expect([seen, partition.committable]).toEqual([[], [5]])
})

test('what is settled while a turn is under way waits for the next', () => {
  const { clock, turns, partition } = world()
  partition.position = 5
  turns.note(partition)
  partition.position = 9
  let seen: number[] | undefined
  clock.setTimer(0, () => (seen = [...partition.committable]))
  turns.note(partition)
  clock.advance(0)
  expect([seen, partition.committable]).toEqual([[5], [5, 9]])
})

test('several partitions share turns, one that emitted nothing has nothing to commit', async () => {
  const { clock, turns, partition } = world()
  const [other, fresh] = [new Partition(), new Partition()]
  partition.position = 1
  other.position = 2
  for (const each of [partition, other, other, fresh]) turns.note(each)
  clock.advance(0)
  expect([partition, other, fresh].map(({ committable }) => committable)).toEqual([[1], [2], []])
  expect(clock.pending).toBe(0)
  partition.position = 4
  const passed = turns.passed(partition)
  partition.position = 6
  clock.advance(0)
  await passed
  expect(partition.committable).toEqual([1, 4])
})
