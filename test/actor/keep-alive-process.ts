// A process that ends by itself, or does not: what keeps it alive is named by its
// argument. While it lives it says so, and hears on stdin when to let go; neither
// stdin nor the timer that says so is ref'd.

import { Bells, THREAD_KIND_CLIENT } from '../../src/bells.ts'
import { systemClock } from '../../src/clock.ts'
import { ThreadParker } from '../../src/actor/thread-parker.ts'

const bells = new Bells(Bells.allocate())
const { id } = bells.claim(THREAD_KIND_CLIENT)
const parker = new ThreadParker(bells, id)
let done = false

systemClock.setTimer(300, () => process.stdout.write('still here, '))
process.stdin.on('data', () => {
  process.stdout.write('released, ')
  done = true
  parker.release()
  bells.ring(id)
  process.stdin.destroy()
})
if ('unref' in process.stdin) (process.stdin as { unref: () => void }).unref()

const mode = process.argv[2]
if (mode === 'parked') parker.onRing(() => {}).arm()
if (mode === 'held') parker.hold()
if (mode === 'released') {
  parker.hold()
  parker.hold()
  parker.release()
  parker.release()
}
if (mode === 'closed') {
  parker.hold()
  parker.close()
}
if (mode === 'waiting') void parker.wait(() => done)
