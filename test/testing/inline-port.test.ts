import { expect, test } from 'vitest'
import { connectControl, exposeControl, transferred } from '../../src/actor/control-channel.ts'
import { StepScheduler } from '../../src/actor/turn-scheduler.ts'
import { newInlinePortPair, portsIn } from '../../src/testing/inline-port.ts'

test('messages come in order, as copies, also to who listens later', () => {
  const turns = new StepScheduler()
  const { port1, port2 } = newInlinePortPair(turns)
  const seen: unknown[] = []
  const sent = { list: [1] }
  port1.postMessage(sent)
  sent.list.push(2)
  port1.postMessage('second')
  turns.step()
  port2.on('message', (message) => seen.push(message))
  turns.step()
  expect(seen).toEqual([{ list: [1] }, 'second'])
  port1.postMessage('third')
  expect(seen).toHaveLength(2)
  turns.step()
  expect(seen[2]).toBe('third')
})

test('what was posted before the end still comes, and the end is told once on either side', () => {
  const turns = new StepScheduler()
  const { port1, port2 } = newInlinePortPair(turns)
  const seen: unknown[] = []
  port1.on('close', () => seen.push('closed 1'))
  port2.on('message', (message) => seen.push(message))
  port2.on('close', () => seen.push('closed 2'))
  port1.postMessage('last')
  port1.close()
  port1.close()
  port1.postMessage('dropped')
  for (let i = 0; i < 4; i++) turns.step()
  expect(seen).toEqual(['last', 'closed 1', 'closed 2'])
})

test('the ports of a thread that ends close, and its own code hears nothing', () => {
  const turns = new StepScheduler()
  const { port1, port2 } = newInlinePortPair(turns)
  const seen: unknown[] = []
  port1.on('close', () => seen.push('the dead hear'))
  port2.on('close', () => seen.push('the others hear'))
  for (const port of portsIn([port1])) port.sever()
  for (let i = 0; i < 3; i++) turns.step()
  expect(seen).toEqual(['the others hear'])
})

test('control calls go over it, and move ports', async () => {
  const turns = new StepScheduler()
  const { port1, port2 } = newInlinePortPair(turns)
  const inner = newInlinePortPair(turns)
  exposeControl(inner.port2, { twice: (n: number) => 2 * n })
  exposeControl(port2, { open: () => transferred({ port: inner.port1 }, [inner.port1]) })
  const outer = connectControl<{ open(): { port: typeof port1 } }>(port1, { name: 'outer' })
  const opening = outer.calls.open()
  await turns.settle()
  const nested = connectControl<{ twice(n: number): number }>((await opening).port, { name: 'nested' })
  const doubling = nested.calls.twice(21)
  await turns.settle()
  expect(await doubling).toBe(42)
})
