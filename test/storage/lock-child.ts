// A process that takes the lock of a directory when it is told to, and holds it until it is told to let go.
// Run by data-directory-lock-processes.test.ts: `lock-child.ts <data directory>`; talks in lines.
//
//   go <file>   waits, spinning, until the file is there, then tries: `won`, or `lost <pid>`
//   release     `released`

import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileDisk } from '../../src/disk/file-disk.ts'
import { engineRandom } from '../../src/random.ts'
import { DataDirectoryInUseError, DataDirectoryLock } from '../../src/storage/data-directory-lock.ts'
import { runningProcess } from '../../src/storage/running-process.ts'

const path = process.argv[2]!
const disk = fileDisk()
const self = runningProcess(disk)
let lock: DataDirectoryLock | undefined

function tryTake(): string {
  try {
    lock = DataDirectoryLock.take({ disk, path, self, random: engineRandom })
    return 'won'
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) return `lost ${error.pid}`
    throw error
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, file] = line.split(' ')
  if (command === 'go') {
    while (!existsSync(file!));
    console.log(tryTake())
  } else if (command === 'release') {
    lock?.release()
    lock = undefined
    console.log('released')
  }
})
console.log('ready')
