// Single keys of a terminal, while something runs.

import type { ReadStream } from 'node:tty'

const CTRL_C = '\u0003'

/** Calls `press` for each key; gives what ends that. Ctrl-C stays what it is. */
export function listenForKeys(input: ReadStream, press: (key: string) => void): () => void {
  const onData = (data: Buffer): void => {
    for (const key of data.toString()) {
      if (key === CTRL_C) process.kill(process.pid, 'SIGINT')
      else press(key)
    }
  }
  const restore = (): void => void input.setRawMode(false)
  input.setRawMode(true)
  input.on('data', onData)
  process.once('exit', restore) // also when it fails
  return () => {
    process.off('exit', restore)
    restore()
    input.off('data', onData)
    input.pause()
  }
}
