import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/random.ts'
import { LATEST, SnapshotRegistry, TimelineMap, TimelineValue } from '../../src/coordinator/timeline.ts'

function mapOf(entries: Iterable<[string, number]>): Record<string, number> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe('timeline', () => {
  test('a snapshot is read as it was, whatever changed since', () => {
    const registry = new SnapshotRegistry()
    const map = new TimelineMap<string, number>(registry)
    map.set('a', 1)
    registry.snapshot(10)
    map.set('a', 2)
    map.set('b', 3)
    registry.snapshot(20)
    map.delete('a')
    expect(mapOf(map.entries(10))).toEqual({ a: 1 })
    expect(mapOf(map.entries(20))).toEqual({ a: 2, b: 3 })
    expect(mapOf(map.entries())).toEqual({ b: 3 })
    expect([map.get('a', 10), map.get('a', 20), map.get('a')]).toEqual([1, 2, undefined])
    expect([map.has('b', 10), map.has('b', 20), map.size(10), map.size(20), map.size()]).toEqual([false, true, 1, 2, 1])
  })

  test('all goes back to a snapshot, which can be gone back to again', () => {
    const registry = new SnapshotRegistry()
    const map = new TimelineMap<string, number>(registry)
    const value = new TimelineValue(registry, 'first')
    registry.snapshot(0)
    map.set('a', 1)
    value.set('second')
    registry.snapshot(5)
    map.set('a', 2)
    map.set('b', 2)
    value.set('third')
    registry.revertTo(5)
    expect([mapOf(map.entries()), value.get()]).toEqual([{ a: 1 }, 'second'])
    map.set('c', 9)
    registry.revertTo(0)
    expect([mapOf(map.entries()), value.get(), registry.size]).toEqual([{}, 'first', 1])
  })

  test('what is not asked for any more is let go of', () => {
    const registry = new SnapshotRegistry()
    const map = new TimelineMap<string, number>(registry)
    for (let epoch = 0; epoch < 100; epoch++) {
      map.set('a', epoch)
      registry.snapshot(epoch)
      registry.deleteBelow(epoch - 2)
    }
    expect(registry.size).toBe(3)
    expect(map.get('a', 97)).toBe(97)
    expect(() => map.get('a', 50)).toThrow(/snapshot 50/)
  })

  test('agrees with whole copies under random changes, seed 7', () => {
    const random = seededRandom(7)
    const registry = new SnapshotRegistry()
    const maps = [new TimelineMap<string, number>(registry), new TimelineMap<string, number>(registry)]
    const models: Map<string, number>[] = [new Map(), new Map()]
    let copies: { epoch: number; maps: Map<string, number>[] }[] = []
    const snapshot = (epoch: number): void => {
      registry.snapshot(epoch)
      copies.push({ epoch, maps: models.map((model) => new Map(model)) })
    }
    snapshot(0)
    for (let step = 1; step < 1_000; step++) {
      const which = random.below(2)
      const key = `k${random.below(8)}`
      const action = random.below(20)
      if (action < 10) {
        maps[which]!.set(key, step)
        models[which]!.set(key, step)
      } else if (action < 15) {
        maps[which]!.delete(key)
        models[which]!.delete(key)
      } else if (action < 18) snapshot(step)
      else if (action < 19) {
        const to = copies[random.below(copies.length)]!
        copies = copies.filter(({ epoch }) => epoch <= to.epoch)
        registry.revertTo(to.epoch)
        for (const i of [0, 1]) models[i] = new Map(to.maps[i])
      } else {
        const from = copies[random.below(copies.length)]!.epoch
        registry.deleteBelow(from)
        copies = copies.filter(({ epoch }) => epoch >= from)
      }
      for (const i of [0, 1]) {
        expect(mapOf(maps[i]!.entries(LATEST))).toEqual(mapOf(models[i]!))
        const copy = copies[random.below(copies.length)]!
        expect(mapOf(maps[i]!.entries(copy.epoch))).toEqual(mapOf(copy.maps[i]!))
        expect(maps[i]!.size(copy.epoch)).toBe(copy.maps[i]!.size)
        expect(maps[i]!.get(key, copy.epoch)).toBe(copy.maps[i]!.get(key))
      }
    }
  })
})
