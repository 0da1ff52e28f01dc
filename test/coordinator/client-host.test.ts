import { expect, test } from 'vitest'
import { isLocalHost, localHost, localThreadOf } from '../../src/coordinator/client-host.ts'

test('the host of a thread names it, and is read back', () => {
  const thread = { thread: 7, incarnation: 3, process: 0x1f2e3d4c }
  expect(localHost(thread)).toBe('thread-7.3@1f2e3d4c')
  expect(localThreadOf(localHost(thread))).toEqual(thread)
  expect(localThreadOf(localHost({ thread: 0, incarnation: 1, process: 0xffff_ffff }))).toEqual({
    thread: 0,
    incarnation: 1,
    process: 0xffff_ffff,
  })
})

test('hosts behind sockets are no threads', () => {
  for (const host of ['', '/127.0.0.1', 'thread-1', 'thread-1.2', 'thread-1.2@xyz', '/thread-1.2@00000000', 'thread-1.2@000000001']) {
    expect(isLocalHost(host)).toBe(false)
    expect(localThreadOf(host)).toBeUndefined()
  }
})
