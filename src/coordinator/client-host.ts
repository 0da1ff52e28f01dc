// How a thread of this process stands as the host of its members, in records and in what
// describes groups: Kafka has a host's name or address there, behind a slash.
// Pure. Holds: who reads such a host in a later process, or after the thread's bell has
// got another owner, can tell that it is not this thread.

/** A thread that is attached to this process's millrace. */
export interface LocalThread {
  /** Of its bell. */
  readonly thread: number
  readonly incarnation: number
  /** Tells this process, or rather this open millrace, from others: a random number of 32 bits. */
  readonly process: number
}

/** `thread-7.3@1f2e3d4c` */
export function localHost({ thread, incarnation, process }: LocalThread): string {
  return `thread-${thread}.${incarnation}@${(process >>> 0).toString(16).padStart(8, '0')}`
}

const LOCAL_HOST = /^thread-(\d+)\.(\d+)@([\da-f]{8})$/

/** undefined: a host of another kind, behind a socket. */
export function localThreadOf(host: string): LocalThread | undefined {
  const match = LOCAL_HOST.exec(host)
  if (match === null) return undefined
  return { thread: Number(match[1]), incarnation: Number(match[2]), process: Number.parseInt(match[3]!, 16) }
}

export function isLocalHost(host: string): boolean {
  return LOCAL_HOST.test(host)
}
