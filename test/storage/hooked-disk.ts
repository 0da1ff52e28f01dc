// A disk that lets a test in before each call: to run another process there, or to end this one.

import type { Disk, DiskFile } from '../../src/disk/disk.ts'

/** `before` is told the name of the call; what it throws ends the call before it is made. */
export function hookedDisk(disk: Disk, before: (call: string) => void): Disk {
  return hooked(disk, before)
}

function hooked<Target extends Disk | DiskFile>(target: Target, before: (call: string) => void): Target {
  return new Proxy(target, {
    get(_, key) {
      const value = target[key as keyof Target]
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        before(String(key))
        const result = (value as (...args: unknown[]) => unknown).apply(target, args)
        return key === 'open' ? hooked(result as DiskFile, before) : result
      }
    },
  })
}

/** The process is gone: nothing that it does after that has an effect. */
export class ProcessEnd extends Error {}

/** Ends the process before its call `at`, from 1. */
export function endBefore(disk: Disk, at: number): { readonly disk: Disk; readonly ended: () => boolean } {
  let calls = 0
  const before = (): void => {
    if (++calls >= at) throw new ProcessEnd('the process has ended')
  }
  return { disk: hookedDisk(disk, before), ended: () => calls >= at }
}
