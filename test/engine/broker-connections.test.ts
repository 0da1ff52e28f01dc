import { MessageChannel } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { connectControl, exposeControl, transferred } from '../../src/actor/control-channel.ts'
import { BrokerConnections } from '../../src/engine/broker-connections.ts'
import type { HostControl } from '../../src/broker/broker-control.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A host that gives a connection to incarnation `lost + 1`, and counts how often it is asked. */
function open() {
  const started = new Map<number, number>([[0, 1]])
  const asked: number[] = []
  const changed: (() => void)[] = []
  const brokerEnds = new Map<number, MessageChannel['port1']>()
  const connectionTo = (incarnation: number) => {
    const { port1, port2 } = new MessageChannel()
    brokerEnds.set(incarnation, port2)
    exposeControl(port2, {})
    closers.push(() => port2.close())
    return { brokerId: 0, incarnation, thread: 7, port: port1 }
  }
  const { port1, port2 } = new MessageChannel()
  closers.push(() => port1.close())
  exposeControl(port2, {
    connectBroker: (brokerId: number, lost: number) => {
      asked.push(brokerId)
      const connection = connectionTo(lost + 1)
      return transferred(connection, [connection.port])
    },
  })
  const host = connectControl<HostControl>(port1, { name: 'host' })
  const connections = new BrokerConnections(host, {
    onChange: () => {
      for (const resolve of changed.splice(0)) resolve()
    },
    hasStarted: (brokerId, incarnation) => (started.get(brokerId) ?? 0) >= incarnation,
    isClosing: () => false,
  })
  closers.push(() => connections.close())
  connections.connect(connectionTo(1))
  const change = (): Promise<void> => new Promise((resolve) => changed.push(resolve))
  return { connections, started, asked, brokerEnds, change }
}

test('a broker that is started again is no way to send anything before its thread runs', async () => {
  const { connections, started, asked, brokerEnds, change } = open()
  expect(connections.get(0)?.incarnation).toBe(1)
  const lost = change()
  brokerEnds.get(1)!.close()
  await lost
  expect(connections.get(0)).toBeUndefined()
  // It is asked for at once, though nobody needs it.
  await change()
  expect(asked).toEqual([0])
  // The host has started it, and it loads its code.
  expect(connections.get(0)).toBeUndefined()
  // It is on its way: nobody is asked again.
  await connections.reconnect(0)
  expect(asked).toEqual([0])
  started.set(0, 2)
  expect(connections.get(0)?.incarnation).toBe(2)
})
