import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Disk, DiskFile } from '../../src/disk/disk.ts'
import { readWhole } from '../../src/disk/read-whole.ts'
import { seededRandom } from '../../src/random.ts'
import type { CrashKind, CrashOptions } from './crash-states.ts'
import { bytesOf, describeDisk, failureOf, textOf } from './disk-contract.ts'
import { seededFaults, SimulatedStop } from './disk-faults.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const SEED = 20_261_130

describeDisk('the simulated disk', () => {
  const disk = new SimulatedDisk()
  disk.makeDirectory('/data')
  return { disk, root: '/data', endSyncs: () => disk.endSyncs(), close: () => {} }
})

function write(file: DiskFile, text: string, position: number): void {
  file.write(bytesOf(text), 0, text.length, position)
}

function put(disk: Disk, path: string, text: string): DiskFile {
  const file = disk.open(path, 'create')
  write(file, text, 0)
  return file
}

const text = (disk: Disk, path: string): string => textOf(readWhole(disk, path, 1 << 20)).replaceAll('\0', '0')

/** What is on a disk, as text: `a=hello`, or `d/` for a directory. */
function tree(disk: Disk, directory = ''): string[] {
  return disk.list(directory === '' ? '/' : directory).flatMap((name) => {
    const path = `${directory}/${name}`
    return disk.stat(path).isDirectory ? [`${path.slice(1)}/`, ...tree(disk, path)] : [`${path.slice(1)}=${text(disk, path)}`]
  })
}

function statesOf(disk: SimulatedDisk, kind?: CrashKind, options?: CrashOptions): string[] {
  const states = [...disk.crashStates(SEED, options)].filter((state) => kind === undefined || state.kind === kind)
  return [...new Set(states.map((state) => tree(state.disk).join(' ')))].sort()
}

/** A file that is on the disk, name and all. */
function synced(disk: SimulatedDisk, path: string, content: string): DiskFile {
  const file = put(disk, path, content)
  file.sync()
  disk.syncDirectory('/')
  return file
}

describe('a power cut', () => {
  test('takes nothing that was synced', () => {
    const disk = new SimulatedDisk()
    synced(disk, '/a', 'hello')
    expect(disk.unsyncedOperations).toBe(0)
    expect(statesOf(disk)).toEqual(['a=hello'])
  })

  test('takes what was written after a sync was started, and nothing before', () => {
    const disk = new SimulatedDisk()
    const file = put(disk, '/a', 'hello')
    disk.syncDirectory('/')
    file.startSync(() => undefined)
    write(file, ' world', 5)
    expect(statesOf(disk)).toContain('a=')
    expect(disk.endSyncs()).toBe(1)
    const states = statesOf(disk)
    expect(states).toContain('a=hello')
    expect(states.every((state) => state.startsWith('a=hello'))).toBe(true)
    expect(disk.endSyncs()).toBe(0)
  })

  test('takes a name whose directory was not synced, though the file was', () => {
    const disk = new SimulatedDisk()
    put(disk, '/a', 'hello').sync()
    expect(statesOf(disk)).toEqual(['', 'a=hello'])
  })

  test('takes bytes that were not synced, or leaves zeros in their place', () => {
    const disk = new SimulatedDisk()
    const file = put(disk, '/a', 'hello')
    disk.syncDirectory('/')
    file.close()
    expect(statesOf(disk)).toEqual(['a=', 'a=00000', 'a=hello'])
    expect(statesOf(disk, 'prefix')).toEqual(['a=', 'a=hello'])
    expect(statesOf(disk, 'size-without-data')).toEqual(['a=00000'])
  })

  test('leaves any prefix, and any one operation missing', () => {
    const disk = new SimulatedDisk()
    for (const name of ['a', 'b', 'c']) put(disk, `/${name}`, '')
    expect(statesOf(disk, 'prefix')).toEqual(['', 'a=', 'a= b=', 'a= b= c='])
    expect(statesOf(disk, 'one-missing')).toEqual(['a= c=', 'b= c='])
    expect(statesOf(disk, 'drawn')).toContain('c=')
    expect(statesOf(disk, undefined, { names: 'ordered' })).toEqual(['', 'a=', 'a= b=', 'a= b= c='])
  })

  test('a page that arrives brings all that was written to it before', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'aaa')
    write(file, 'b', 0)
    write(file, 'c', 2)
    expect(statesOf(disk)).toEqual(['a=aaa', 'a=baa', 'a=bac'])
  })

  test('pages arrive in any order', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'x'.repeat(3 * 4096))
    write(file, 'y'.repeat(3 * 4096), 0)
    const states = new Set([...disk.crashStates(SEED, { drawn: 200 })].map((state) => text(state.disk, '/a')))
    for (const pages of ['xyx', 'yxy', 'xxy', 'xyy', 'xxx', 'yyy'])
      expect(states).toContain([...pages].map((one) => one.repeat(4096)).join(''))
  })

  test('tears the last write at every sector, with its old size and its new', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'x'.repeat(300))
    write(file, 'y'.repeat(5_000), 300)
    const torn = [...disk.crashStates(SEED)].filter(({ kind }) => kind === 'torn').map((state) => text(state.disk, '/a'))
    const expected = Array.from({ length: 10 }, (_, i) => `${'x'.repeat(300)}${'y'.repeat((i + 1) * 512 - 300)}`)
    expect(torn).toEqual(expected.flatMap((short) => [short, short.padEnd(5_300, '0')]))
  })

  test('leaves a rename done or not done, never half, and with or without the data', () => {
    const disk = new SimulatedDisk()
    synced(disk, '/a', 'old')
    put(disk, '/a.tmp', 'new')
    disk.syncDirectory('/')
    disk.rename('/a.tmp', '/a')
    expect(statesOf(disk)).toEqual(['a=', 'a=000', 'a=new', 'a=old a.tmp=', 'a=old a.tmp=000', 'a=old a.tmp=new'])
    expect(statesOf(disk, 'names-only')).toEqual(['a='])
    expect(statesOf(disk, 'data-only')).toEqual(['a=old a.tmp=new'])
  })

  test('a removed file is there or not; a removal that was synced stays', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'hello')
    write(file, 'J', 0)
    disk.remove('/a')
    expect(statesOf(disk)).toEqual(['', 'a=Jello', 'a=hello'])
    disk.syncDirectory('/')
    expect(statesOf(disk)).toEqual([''])
    file.close()
    expect(disk.unsyncedOperations).toBe(0)
  })

  test('a renamed directory takes what is in it along', () => {
    const disk = new SimulatedDisk()
    disk.makeDirectory('/d')
    put(disk, '/d/a', 'x').sync()
    disk.syncDirectory('/d')
    disk.syncDirectory('/')
    disk.rename('/d', '/e')
    expect(statesOf(disk)).toEqual(['d/ d/a=x', 'e/ e/a=x'])
  })

  test('a cut is lost, or not', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'hello')
    file.truncate(2)
    expect(statesOf(disk)).toEqual(['a=he', 'a=hello'])
    write(file, 'y', 2)
    expect(statesOf(disk, 'prefix')).toEqual(['a=he', 'a=hello', 'a=hey'])
    file.sync()
    expect(statesOf(disk)).toEqual(['a=hey'])
  })

  test('each state is a disk of its own, and the one it came from goes on', () => {
    const disk = new SimulatedDisk({ faults: [{ kind: 'EIO', at: 9 }] })
    const file = synced(disk, '/a', 'hello')
    write(file, 'J', 0)
    const states = disk.crashStates(SEED)
    const first = states.next().value!.disk
    const again = first.open('/a', 'write')
    write(again, 'first', 0)
    again.sync()
    put(first, '/b', 'more')
    write(file, '!', 5)
    expect([...states].map((state) => text(state.disk, '/a'))).not.toContain('first')
    expect([text(first, '/a'), text(disk, '/a'), disk.list('/')]).toEqual(['first', 'Jello!', ['a']])
    expect(statesOf(first)).toEqual(['a=first', 'a=first b=', 'a=first b=0000', 'a=first b=more'])
  })

  test('what the disk goes on to do changes no state that was taken of it', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'hello')
    write(file, 'J', 0)
    const states = disk.crashStates(SEED)
    const killed = disk.killState()
    write(file, '!', 5)
    file.sync()
    expect([...new Set([...states].map((state) => text(state.disk, '/a')))].sort()).toEqual(['Jello', 'hello'])
    expect([text(killed, '/a'), ...statesOf(killed)]).toEqual(['Jello', 'a=Jello', 'a=hello'])
  })

  test('a sync says nothing of another file', () => {
    const disk = new SimulatedDisk()
    const [a, b] = [synced(disk, '/a', 'one'), synced(disk, '/b', 'one')]
    write(a, 'two', 0)
    write(b, 'two', 0)
    a.sync()
    expect(statesOf(disk)).toEqual(['a=two b=one', 'a=two b=two'])
  })

  test('bytes that arrived without their size are zeros when the file grows over them', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'x')
    write(file, 'y'.repeat(9_000), 1)
    let short = 0
    for (const { disk: after } of disk.crashStates(SEED, { drawn: 60 })) {
      if (after.stat('/a').sizeInBytes !== 1) continue
      short++
      const grown = after.open('/a', 'write')
      grown.truncate(9_001)
      expect(text(after, '/a')).toBe(`x${'0'.repeat(9_000)}`)
    }
    expect(short).toBeGreaterThan(5)
  })

  test('a seed gives the same states; `max` draws some of them', () => {
    const make = (seed: number, options?: CrashOptions): string => {
      const disk = new SimulatedDisk()
      for (let i = 0; i < 6; i++) put(disk, `/${i}`, 'x'.repeat(5_000))
      return JSON.stringify([...disk.crashStates(seed, options)].map((state) => [state.description, tree(state.disk)]))
    }
    expect(make(1)).toBe(make(1))
    expect(make(1)).not.toBe(make(2))
    const some = make(1, { max: 7 })
    expect(JSON.parse(some)).toHaveLength(7)
    expect(some).toBe(make(1, { max: 7 }))
    expect(some).not.toBe(make(2, { max: 7 }))
  })

  test('whatever is done, each byte is one that stood there since the last sync, and no synced byte is missing', () => {
    const action = fc.oneof(
      { weight: 5, arbitrary: fc.record({ position: fc.nat(9_000), length: fc.integer({ min: 1, max: 5_000 }) }) },
      { weight: 1, arbitrary: fc.record({ truncate: fc.nat(9_000) }) },
      { weight: 2, arbitrary: fc.constant('sync' as const) },
    )
    let states = 0
    fc.assert(
      fc.property(fc.array(action, { maxLength: 10 }), fc.nat(), (actions, seed) => {
        const disk = new SimulatedDisk()
        const file = synced(disk, '/a', '')
        let fill = 0
        let versions: Uint8Array[] = [new Uint8Array(0)]
        for (const one of actions) {
          if (one === 'sync') {
            file.sync()
            versions = versions.slice(-1)
            continue
          }
          if ('truncate' in one) file.truncate(one.truncate)
          else file.write(new Uint8Array(one.length).fill(++fill), 0, one.length, one.position)
          versions.push(readWhole(disk, '/a', 1 << 20))
        }
        const sizeMin = Math.min(...versions.map(({ byteLength }) => byteLength))
        for (const state of disk.crashStates(seed, { drawn: 6 })) {
          states++
          const found = readWhole(state.disk, '/a', 1 << 20)
          expect(found.byteLength).toBeGreaterThanOrEqual(sizeMin)
          // A byte that was never on the disk may be zero.
          const stray = found.findIndex(
            (byte, i) => !versions.some((version) => version[i] === byte) && !(byte === 0 && mayBeZero(versions, i)),
          )
          expect(stray, `${state.description}: byte ${stray} of ${found.byteLength}`).toBe(-1)
        }
      }),
      { seed: SEED, numRuns: 120 },
    )
    expect(states).toBeGreaterThan(2_000)
  })
})

/** Behind the synced end, or cut off since: a longer size without its data shows zeros. */
function mayBeZero(versions: readonly Uint8Array[], i: number): boolean {
  return versions.some((version) => i >= version.byteLength)
}

describe('a sync that fails', () => {
  test('loses the bytes though the next one succeeds, and shows it when caches are dropped', () => {
    const disk = new SimulatedDisk()
    synced(disk, '/a', 'hello')
    const file = disk.open('/a', 'write')
    write(file, 'HELLO you', 0)
    disk.plan([{ kind: 'EIO', at: 1, calls: ['sync'] }])
    failureOf(() => file.sync())
    const again = disk.open('/a', 'write')
    again.sync()
    expect(text(disk, '/a')).toBe('HELLO you')
    expect(statesOf(disk, 'prefix')).toEqual(['a=hello0000'])
    expect(statesOf(disk, 'drawn')).toContain('a=HELLO you')
    disk.dropCaches()
    expect(text(disk, '/a')).toBe('hello0000')
    write(again, '!', 9)
    again.sync()
    expect(statesOf(disk)).toEqual(['a=hello0000!'])
  })

  test('of a directory loses the names', () => {
    const disk = new SimulatedDisk({ faults: [{ kind: 'EIO', at: 1, calls: ['syncDirectory'] }] })
    put(disk, '/a', 'x').sync()
    failureOf(() => disk.syncDirectory('/'))
    disk.another().syncDirectory('/')
    expect(statesOf(disk, 'prefix')).toEqual([''])
    expect(disk.list('/')).toEqual(['a'])
  })

  test('what it lost never comes back over what was written and synced later', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'one')
    write(file, 'two', 0)
    disk.plan([{ kind: 'EIO', at: 1, calls: ['sync'] }])
    failureOf(() => file.sync())
    const again = disk.open('/a', 'write')
    write(again, 'six', 0)
    again.sync()
    expect(statesOf(disk)).toEqual(['a=six'])
  })
})

describe('a kill', () => {
  test('takes nothing that was written, and of the write that it cut any end', () => {
    const disk = new SimulatedDisk()
    const file = put(disk, '/a', 'hello')
    write(file, ' world', 5)
    disk.plan([{ kind: 'stop', at: 1, calls: ['write'] }])
    expect(() => write(file, 'W1234', 6)).toThrow(SimulatedStop)
    expect([disk.stopped, disk.cutWriteBytes, disk.faultsBitten]).toEqual([true, 5, 1])
    const after = [0, 1, 2, 5].map((kept) => text(disk.killState(kept), '/a'))
    expect(after).toEqual(['hello world', 'hello World', 'hello W1rld', 'hello W1234'])
    expect(text(disk.killState(), '/a')).toBe('hello W1234')
  })

  test('cuts a write that makes the file longer, over pages', () => {
    const disk = new SimulatedDisk()
    const file = put(disk, '/a', 'x'.repeat(4_000))
    disk.plan([{ kind: 'stop', at: 1, calls: ['write'] }])
    expect(() => write(file, 'y'.repeat(10_000), 4_000)).toThrow(SimulatedStop)
    for (const kept of [0, 50, 96, 97, 4_192, 9_999])
      expect(text(disk.killState(kept), '/a')).toBe(`${'x'.repeat(4_000)}${'y'.repeat(kept)}`)
  })

  test('a power cut after it may still take what was not synced', () => {
    const disk = new SimulatedDisk()
    const file = synced(disk, '/a', 'hello')
    write(file, 'J', 0)
    disk.plan([{ kind: 'stop', at: 1 }])
    expect(() => write(file, ' world', 5)).toThrow(SimulatedStop)
    const after = disk.killState(3)
    expect(statesOf(after, 'prefix')).toEqual(['a=Jello', 'a=Jello wo', 'a=hello'])
    expect(statesOf(disk.killState(0), 'prefix')).toEqual(['a=Jello', 'a=hello'])
    const opened = after.open('/a', 'write')
    opened.sync()
    expect(statesOf(after)).toEqual(['a=Jello wo'])
    expect(statesOf(disk, 'prefix')).toEqual(['a=Jello', 'a=Jello world', 'a=hello'])
  })

  test('gives back the space of files that had no name any more', () => {
    const disk = new SimulatedDisk({ capacityBytes: 4096 })
    const file = put(disk, '/a', 'x')
    disk.remove('/a')
    expect(disk.freeBytes('/')).toBe(0)
    expect(disk.killState().freeBytes('/')).toBe(4096)
    file.close()
    expect(disk.freeBytes('/')).toBe(4096)
  })
})

describe('faults', () => {
  test('bite at the call that they name, as often as they say, and are counted', () => {
    const disk = new SimulatedDisk({ faults: [{ kind: 'EACCES', at: 2, times: 2, calls: ['open'], path: '/b' }] })
    disk.open('/a', 'create')
    disk.open('/b', 'create')
    expect([0, 1].map(() => failureOf(() => disk.open('/b', 'read')).reason)).toEqual(['no-permission', 'no-permission'])
    disk.open('/a', 'read')
    disk.open('/b', 'read')
    expect([disk.faultsBitten, disk.calls.get('open'), disk.unbitten]).toEqual([2, 6, []])
  })

  test('one that found nothing to bite on is told', () => {
    const fault = { kind: 'ENOSPC', at: 2, calls: ['write'] } as const
    const disk = new SimulatedDisk({ faults: [fault, { kind: 'EIO', at: 1, calls: ['write'] }] })
    failureOf(() => put(disk, '/a', 'x'))
    expect([disk.unbitten, disk.faultsBitten]).toEqual([[fault], 1])
  })

  test('a call that fails has done nothing', () => {
    const disk = new SimulatedDisk()
    synced(disk, '/a', 'hello').close()
    disk.makeDirectory('/d')
    const file = disk.open('/a', 'write')
    const before = tree(disk)
    for (const body of [
      () => disk.open('/b', 'create'),
      () => disk.rename('/a', '/b'),
      () => disk.remove('/a'),
      () => disk.makeDirectory('/e'),
      () => disk.removeDirectory('/d'),
      () => file.truncate(0),
      () => write(file, 'x', 0),
    ]) {
      disk.plan([{ kind: 'EIO', at: 1 }])
      expect(failureOf(body).errno).toBe('EIO')
      expect(disk.faultsBitten).toBe(1)
      disk.plan([])
      expect(tree(disk)).toEqual(before)
    }
  })

  test('a stop does its call and no other', () => {
    const disk = new SimulatedDisk()
    disk.plan([{ kind: 'stop', at: 2, calls: ['makeDirectory'] }])
    disk.makeDirectory('/a')
    expect(() => disk.makeDirectory('/b')).toThrow(SimulatedStop)
    expect(() => disk.makeDirectory('/c')).toThrow(SimulatedStop)
    expect(tree(disk.killState())).toEqual(['a/', 'b/'])
  })

  test('a plan drawn from a seed is the same each time', () => {
    const make = (seed: number): unknown => seededFaults(seededRandom(seed), 5, 20, ['EIO', 'short', 'ENOSPC'])
    expect(make(3)).toEqual(make(3))
    expect(make(3)).not.toEqual(make(4))
  })
})

test('time is handed in', () => {
  let nowMs = 5
  const disk = new SimulatedDisk({ nowMs: () => nowMs })
  const file = put(disk, '/a', 'x')
  file.sync()
  nowMs = 7
  expect(disk.stat('/a').modifiedMs).toBe(5)
  write(file, 'y', 0)
  expect(disk.stat('/a').modifiedMs).toBe(7)
})
