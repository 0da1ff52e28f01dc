// A disk whose power can be cut for real: an ext4 file system in a file, mounted through a loop device.
// A cut is ext4's own shutdown without a flush of its journal: what was not synced is gone, as it is when
// a machine loses its power, and the next mount replays the journal. Needs root.

import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Boot ids are kept by the system; a process in a mount namespace of its own is shown another. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'
/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: Node.js has no ioctl. */
const SHUTDOWN: Readonly<Record<string, readonly string[]>> = {
  perl: ['-e', 'open(my $d, "<", $ARGV[0]) or die "$!"; my $f = pack("L", 2); defined(ioctl($d, 0x8004587d, $f)) or die "$!"'],
  python3: ['-c', 'import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], 0), 0x8004587d, struct.pack("I", 2))'],
}
const FREE_AFTER_MS_MAX = 20_000

/** Why no power can be cut here; undefined: it can. */
export function whyNoPowerCuts(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid!() !== 0) return 'only root may mount a file system'
  if (!readFileSync('/proc/filesystems', 'utf8').includes('ext4') && !can('modprobe', 'ext4')) return 'the kernel has no ext4'
  for (const command of ['losetup', 'mkfs.ext4', 'mount', 'umount', 'unshare'])
    if (!can(command, '--version') && !can(command, '-V')) return `${command} is not installed`
  if (shutdownCommand() === undefined) return `neither of ${Object.keys(SHUTDOWN).join(', ')} is installed`
  let image: Ext4Image | undefined
  try {
    image = new Ext4Image({ sizeInMiB: 32 })
    const [command, ...args] = image.underItsBoot
    const { stdout } = spawnSync(command!, [...args, 'cat', BOOT_ID], { encoding: 'utf8' })
    if (stdout.trim() !== image.bootId) return 'a process cannot be shown another boot id'
    image.cutPower()
    image.restore()
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    image?.close()
  }
}

export class Ext4Image {
  /** Where it is mounted. */
  readonly path: string
  readonly image: string
  readonly #folder: string
  readonly #device: string
  #boots = 1
  #isMounted = false
  #isClosed = false
  readonly #onExit = (): void => this.close()

  constructor({ sizeInMiB = 512 } = {}) {
    this.#folder = mkdtempSync(join(tmpdir(), 'millrace-power-'))
    this.image = join(this.#folder, 'image')
    this.path = join(this.#folder, 'mounted')
    mkdirSync(this.path)
    this.#writeBootId()
    run('truncate', ['-s', `${sizeInMiB}M`, this.image])
    run('mkfs.ext4', ['-q', '-F', this.image])
    this.#device = run('losetup', ['--find', '--show', this.image])
    process.on('exit', this.#onExit)
    try {
      this.#mount()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Another one after each cut. */
  get bootId(): string {
    return `boot-${this.#boots}`
  }

  /** A command before which a command stands that is to see `bootId`. */
  get underItsBoot(): readonly string[] {
    const script = `mount --bind "$0" ${BOOT_ID} && exec "$@"`
    return ['unshare', '--mount', 'sh', '-c', script, join(this.#folder, 'boot-id')]
  }

  /** From now on nothing reaches the disk, and all calls fail. */
  cutPower(): void {
    const command = shutdownCommand()!
    run(command, [...SHUTDOWN[command]!, this.path])
  }

  /** The machine starts again: nobody of the time before may run. */
  restore(): void {
    this.#unmount()
    this.#boots++
    this.#writeBootId()
    this.#mount()
  }

  /** Leaves nothing behind; with `keepImage`, the image, which can be mounted again. */
  close({ keepImage = false } = {}): void {
    if (this.#isClosed) return
    this.#isClosed = true
    process.off('exit', this.#onExit)
    try {
      this.#unmount()
    } finally {
      spawnSync('losetup', ['--detach', this.#device])
      if (!keepImage) rmSync(this.#folder, { recursive: true, force: true })
    }
  }

  #mount(): void {
    run('mount', [this.#device, this.path])
    this.#isMounted = true
  }

  #unmount(): void {
    if (!this.#isMounted) return
    run('umount', [this.path])
    this.#isMounted = false
    this.#waitUntilFree()
  }

  // A namespace goes a little after its last process, and until then the file system is mounted there; whoever mounted it again would find it shut down.
  #waitUntilFree(): void {
    for (const untilMs = performance.now() + FREE_AFTER_MS_MAX; ; ) {
      try {
        closeSync(openSync(this.#device, constants.O_RDONLY | constants.O_EXCL))
        return
      } catch (error) {
        if ((error as { code?: string }).code !== 'EBUSY' || performance.now() > untilMs) throw error
      }
    }
  }

  #writeBootId(): void {
    writeFileSync(join(this.#folder, 'boot-id'), `${this.bootId}\n`)
  }
}

function shutdownCommand(): string | undefined {
  return Object.keys(SHUTDOWN).find((command) => can(command, '--version'))
}

function can(command: string, argument: string): boolean {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0
}

function run(command: string, args: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} fails: ${stderr.trim().split('\n')[0]}`)
  return stdout.trim()
}
