// Has the leader of a log look at what was written of it, or at what failed. The I/O thread, or whoever
// speaks for it when it is given up.

import type { ControlBlock } from '../log/control-block.ts'
import type { LogMemory } from '../log/log-memory.ts'

export function tellLeader(memory: LogMemory, { slot, leaderBroker }: ControlBlock, ringBroker: (brokerId: number) => void): void {
  memory.written.mark(slot)
  // Who leads it next looks without being told.
  if (leaderBroker < 0) return
  memory.noteWritten(leaderBroker)
  ringBroker(leaderBroker)
}
