// One process a data directory at a time. On the thread that opens the directory.
//
// Kafka holds an flock on `.lock`, which the system lets go of when the process ends; Node.js has
// no flock, so here the file says who holds it, and a holder that does not run any more has lost it.
// The file is text, one JSON object: LockOwner. An empty one is Kafka's, which leaves it behind,
// and means nothing; so does one that a power cut tore, whose writer is gone.
//
// A lock that is free or stale is only ever replaced by who holds the claim on it:
//
//   .lock                  who holds the directory; absent, empty or torn: nobody (its key is `none`)
//   .lock.<key>/owner      the claim on a lock with that key (a nonce, never used twice, or `none`):
//                          a directory, renamed here with its owner in it; where one is already,
//                          the system refuses that, so there is one claim at most
//
//   look at .lock: its key, or a holder that runs, and then it is in use
//   claim the key: who runs and has it is about to hold the lock, or sees that another holds it: in use;
//                  who died with it is replaced as a holder is, by a claim on the key of the dead one's claim
//   look at .lock again: it still has that key, and nobody else may change that now; or give up the claim
//   rename the own file to .lock, give up the claim
//
// So a late process that saw a stale lock a minute ago never removes the lock of its successor.
// Nothing here is synced: after a power cut the boot id differs, and every lock is stale.

import { DiskError } from '../disk/disk-error.ts'
import type { Disk } from '../disk/disk.ts'
import { readWhole } from '../disk/read-whole.ts'
import { MillraceError } from '../errors.ts'
import type { Random } from '../random.ts'

/** Who asks for the lock, and what it can tell of others. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in whatever form: a process that has the same pid later has another. Empty where nobody can tell. */
  readonly startedAt: string
  /** Changes with each start of the machine. Empty where nobody can tell. */
  readonly bootId: string
  /** The machine or container, as far as one of them sees the processes of the other. */
  readonly host: string
  /**
   * A lock of this process under the same name belongs to a thread of it that died, and is taken over.
   * Default: any lock of a process that runs is in use, also of this one.
   */
  readonly holder?: string
  isRunning(pid: number, startedAt: string): boolean
}

/** What `.lock` says. */
export interface LockOwner {
  readonly version: 1
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
  readonly host: string
  readonly holder: string
  /** Of this taking of the lock. */
  readonly nonce: string
}

/** KAFKA_STORAGE_ERROR, retriable: another holds the data directory. */
export class DataDirectoryInUseError extends MillraceError {
  readonly path: string
  readonly pid: number

  constructor(path: string, owner: LockOwner, self: ProcessIdentity) {
    super('KAFKA_STORAGE_ERROR', `data directory ${path} is in use by ${holderSentence(path, owner, self)}`)
    this.path = path
    this.pid = owner.pid
  }
}

const LOCK = '.lock'
const FREE = 'none'
const OWNER_BYTES_MAX = 4096
// Each look that comes to nothing means that another process got on meanwhile.
const LOOKS_MAX = 1000

export interface LockOptions {
  readonly disk: Disk
  /** The data directory. */
  readonly path: string
  readonly self: ProcessIdentity
  readonly random: Random
}

export class DataDirectoryLock {
  readonly owner: LockOwner
  readonly #disk: Disk
  readonly #path: string
  readonly #self: ProcessIdentity
  #names = 0

  private constructor({ disk, path, self, random }: LockOptions) {
    this.#disk = disk
    this.#path = path
    this.#self = self
    const { pid, startedAt, bootId, host } = self
    const nonce = Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
    this.owner = { version: 1, pid, startedAt, bootId, host, holder: self.holder ?? nonce, nonce }
  }

  /** Throws DataDirectoryInUseError at once where another holds it. */
  static take(options: LockOptions): DataDirectoryLock {
    const lock = new DataDirectoryLock(options)
    for (let look = 0; look < LOOKS_MAX; look++) if (lock.#try()) return lock
    const message = `data directory ${options.path} cannot be locked: many processes try at once, or something else makes ${LOCK} there. Try again`
    throw new MillraceError('KAFKA_STORAGE_ERROR', message)
  }

  /** Removes what threads of this process left that were `self.holder` and have died. */
  static releaseLeft(options: LockOptions): void {
    const lock = new DataDirectoryLock(options)
    // What could not be opened may be no directory at all.
    if (!options.disk.exists(options.path) || !options.disk.stat(options.path).isDirectory) return
    const isLeft = (path: string): boolean => {
      const owner = lock.#read(path)
      return typeof owner === 'object' && isSameProcess(owner, options.self) && owner.holder === options.self.holder
    }
    lock.#sweep()
    if (isLeft(lock.#at(LOCK))) options.disk.remove(lock.#at(LOCK))
    if (isLeft(`${lock.#at(`${LOCK}.${FREE}`)}/owner`)) lock.#removeClaim(lock.#at(`${LOCK}.${FREE}`))
  }

  /** The next one may have it. Only what is still this one's is removed. */
  release(): void {
    const path = this.#at(LOCK)
    const owner = this.#read(path)
    if (typeof owner === 'object' && owner.nonce === this.owner.nonce) this.#disk.remove(path)
  }

  #try(): boolean {
    const key = this.#lockKey()
    const claims = this.#claim(key)
    if (claims === undefined) return false
    try {
      if (this.#lockKey() !== key) return false
      const file = this.#temporary()
      this.#write(file)
      this.#disk.rename(file, this.#at(LOCK))
    } finally {
      this.#giveUp(claims)
    }
    this.#sweep()
    return true
  }

  #lockKey(): string {
    const owner = this.#read(this.#at(LOCK))
    if (typeof owner !== 'object') return FREE
    this.#refuseIfLiving(owner)
    return owner.nonce
  }

  /** The claims that were made, in the order in which they are to be given up; undefined: look again. */
  #claim(key: string): string[] | undefined {
    const claim = this.#at(`${LOCK}.${key}`)
    if (this.#place(claim)) return [claim]
    const claimer = this.#read(`${claim}/owner`)
    if (claimer === 'absent') return undefined
    if (claimer !== 'torn' && this.#lives(claimer)) {
      // It may be a late one, about to see that another has got the lock: then that one is to be named.
      this.#lockKey()
      this.#refuseIfLiving(claimer)
    }
    const keyOfDead = keyOf(claimer, key)
    const claims = this.#claim(keyOfDead)
    if (claims === undefined) return undefined
    // From here on nobody else acts for the dead one: what is its claim now, stays so.
    const now = this.#read(`${claim}/owner`)
    if (now !== 'absent' && keyOf(now, key) === keyOfDead) return [claim, ...claims]
    this.#giveUp(claims)
    return undefined
  }

  /** Puts a directory that names this owner there, in one step; false where there is one. */
  #place(claim: string): boolean {
    const directory = this.#temporary()
    this.#disk.makeDirectory(directory)
    try {
      this.#write(`${directory}/owner`)
      this.#disk.rename(directory, claim)
      return true
    } catch (error) {
      quietly(() => this.#disk.removeDirectory(directory, true))
      // Windows says EPERM.
      if (error instanceof DiskError && (error.reason === 'exists' || this.#disk.exists(claim))) return false
      throw error
    }
  }

  #giveUp(claims: readonly string[]): void {
    for (const claim of claims) this.#removeClaim(claim)
  }

  /** In one step as others see it. What stays is stale when this process ends. */
  #removeClaim(claim: string): void {
    const aside = this.#temporary()
    quietly(() => {
      this.#disk.rename(claim, aside)
      this.#disk.removeDirectory(aside, true)
    })
  }

  /** Claims and beginnings of processes that died. A claim on a lock that was replaced can do no harm, so it may go. */
  #sweep(): void {
    for (const name of this.#disk.list(this.#path)) {
      if (!name.startsWith(`${LOCK}.`) || name === `${LOCK}.${FREE}` || name === `${LOCK}.${this.owner.nonce}`) continue
      const path = this.#at(name)
      quietly(() => {
        const isDirectory = this.#disk.stat(path).isDirectory
        const owner = this.#read(isDirectory ? `${path}/owner` : path)
        if (typeof owner !== 'object' || this.#lives(owner)) return
        if (isDirectory) this.#removeClaim(path)
        else this.#disk.remove(path)
      })
    }
  }

  #refuseIfLiving(owner: LockOwner): void {
    if (this.#lives(owner)) throw new DataDirectoryInUseError(this.#path, owner, this.#self)
  }

  #lives(owner: LockOwner): boolean {
    const self = this.#self
    if (owner.bootId !== self.bootId) return false
    // The processes of another container cannot be seen from here, while its directory can.
    if (owner.host !== self.host) return true
    if (isSameProcess(owner, self) && owner.holder === self.holder) return false
    return self.isRunning(owner.pid, owner.startedAt)
  }

  #read(path: string): LockOwner | 'absent' | 'torn' {
    try {
      return parseOwner(readWhole(this.#disk, path, OWNER_BYTES_MAX))
    } catch (error) {
      if (error instanceof DiskError && error.reason === 'not-found') return 'absent'
      if (error instanceof DiskError && error.reason === 'too-large') return 'torn'
      throw error
    }
  }

  #write(path: string): void {
    const bytes = new TextEncoder().encode(JSON.stringify(this.owner))
    const file = this.#disk.open(path, 'create')
    try {
      file.write(bytes, 0, bytes.byteLength, 0)
    } finally {
      file.close()
    }
  }

  #temporary(): string {
    return this.#at(`${LOCK}.tmp-${this.owner.nonce}-${this.#names++}`)
  }

  #at(name: string): string {
    return `${this.#path}/${name}`
  }
}

/** For what is only tidied. */
function quietly(body: () => void): void {
  try {
    body()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}

function keyOf(claimer: LockOwner | 'torn', key: string): string {
  return claimer === 'torn' ? `${key}.torn` : claimer.nonce
}

function isSameProcess(owner: LockOwner, self: ProcessIdentity): boolean {
  return owner.pid === self.pid && owner.startedAt === self.startedAt && owner.host === self.host
}

function parseOwner(bytes: Uint8Array): LockOwner | 'torn' {
  let owner: Partial<LockOwner> | null
  try {
    owner = JSON.parse(new TextDecoder().decode(bytes)) as Partial<LockOwner> | null
  } catch {
    return 'torn'
  }
  if (typeof owner !== 'object' || owner === null || typeof owner.pid !== 'number') return 'torn'
  const texts = [owner.startedAt, owner.bootId, owner.host, owner.holder, owner.nonce]
  // The nonce becomes a part of a path.
  if (!texts.every((text) => typeof text === 'string') || !/^[0-9a-f]{32}$/.test(owner.nonce!)) return 'torn'
  return owner as LockOwner
}

function holderSentence(path: string, owner: LockOwner, self: ProcessIdentity): string {
  const another = 'or give this one another `dataDir`'
  if (isSameProcess(owner, self)) return `this process (pid ${owner.pid}): close the other millrace first, ${another}`
  const stop = `process ${owner.pid}: stop it, ${another}`
  if (owner.host === self.host) return stop
  const lock = `where that has ended without closing it, remove ${path}/${LOCK}`
  return `${stop}. It runs on ${owner.host === '' ? 'another host' : `host ${owner.host}`}, whose processes cannot be seen from here; ${lock}`
}
