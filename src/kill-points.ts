// Numbered kill points: places where a fault test stops a thread in the middle of
// its work. In production a point is one comparison with a variable that never
// changes. A test sets `killPoints.hook` on the thread that is to die; the hook
// usually parks the thread in Atomics.wait until its parent terminates it.

export const KILL_POINTS = [
  'lane.writer.claimed', // room is reserved, nothing is written
  'lane.writer.copied', // frame and batch are in the ring, the tail is not published
  'lane.writer.published', // the tail is published, the bell is not rung
  'lane.reader.taken', // the handler has returned, the head is not published
  'lane.ack.written', // an ack is in the ring, its tail is not published
  'log.append.claimed', // room in the extent is chosen, nothing is copied
  'log.append.copied', // the batch is in the extent, its end is not published
  'log.append.ended', // the extent's end is published, the watermark is not
  'log.append.published', // the high watermark is published, no reader is woken
  'log.roll.allocated', // a new extent belongs to the log, the chain does not know it
  'log.roll.linked', // the chain knows it, the control block does not
  'log.trim.unlinked', // the oldest extent left the chain, its memory is not given back
  'log.trim.marked', // its generation is raised, it is not resting yet
  'log.trim.started', // the log start is published, the oldest extent is still in the chain
  'log.clean.written', // compaction has written an extent, no chain knows it
  'log.clean.linked', // new extents are in the chain, those that they replace are not given back
  'log.extent.described', // a free extent's row says whose it is, its generation is not raised
  'log.extent.returned', // an extent of another broker's block is marked, nobody is told
  'log.block.claimed', // a block's owner word is taken, its free extents are not known yet
  'log.block.released', // a block belongs to nobody, who wants it is not told
  'log.adopt.cut', // what a dead leader had not published is cut off its chain, it is not freed
  'broker.handover.published', // all that a leader has is published and answered, it holds the leader word
  'broker.handover.resigned', // the leader word names nobody, who is to lead is not woken
  'broker.lead.taken', // the leader word is taken, the log is not open
  'broker.delete.answered', // who waits for a deleted partition was told, its log is there
  'broker.delete.freed', // its log is gone, the leader word is held
  'controller.appended', // metadata records are in the log, nobody may see them yet
  'controller.initialised', // the control blocks that they name are ready, still nobody may
  'controller.committed', // everybody may see them, the controller has not applied them
  'controller.snapshot.appended', // a snapshot is in its log, nobody may see it yet
  'controller.snapshot.published', // it may be read, the one before is still there
  'controller.snapshot.replaced', // the one before is gone, the metadata log has its old start
] as const

export type KillPoint = (typeof KILL_POINTS)[number]

export const killPoints: { hook: ((point: KillPoint) => void) | undefined } = { hook: undefined }

export function killPoint(point: KillPoint): void {
  if (killPoints.hook !== undefined) killPoints.hook(point)
}
