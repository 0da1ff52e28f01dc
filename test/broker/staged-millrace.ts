// A millrace whose brokers run on the test's thread and whose time is the test's, with a topic, and a
// thread attached.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { Cluster } from '../../src/broker/cluster.ts'
import { VirtualClock, systemClock } from '../../src/clock.ts'
import { EmbeddedEngine } from '../../src/engine/embedded-engine.ts'
import { describeTopic } from '../../src/metadata/topic-description.ts'
import { seededRandom } from '../../src/random.ts'
import { StagedBrokers } from './staged-brokers.ts'

export const PARTITIONS = 8

const closers: (() => Promise<void>)[] = []
export const closeStaged = async (): Promise<void> => {
  for (const close of closers.splice(0).reverse()) await close()
}

export async function openStaged(brokers: number) {
  const clock = new VirtualClock()
  const spawner = new StagedBrokers()
  const restarted: string[] = []
  const cluster = await Cluster.start({
    brokers,
    logMemoryBytes: 16 * 1024 * 1024,
    partitionsMax: 64,
    idleStrategy: 'park',
    workerUrl: undefined,
    clock,
    random: seededRandom(7),
    spawner,
    restarts: { maxRestarts: 1_000 },
    onEvent: (event) => {
      if (event.type === 'brokerRestarted') restarted.push(`${event.brokerId}.${event.incarnation}`)
    },
  })
  const attach = async (): Promise<EmbeddedEngine> => {
    const attached = await EmbeddedEngine.attach(cluster.address, { clock: systemClock })
    closers.push(async () => attached.close())
    return attached
  }
  closers.push(() => cluster.close())
  const engine = await attach()
  await engine.createTopic({ name: 't', partitions: PARTITIONS, config: {} })
  const { partitions } = (await engine.describeTopic('t'))!
  const controls = partitions.map(({ slot }) => engine.controlBlock(slot))
  return {
    clock,
    spawner,
    cluster,
    attach,
    restarted,
    /** The broker that leads the metadata log, and those that lead the topic's partitions. */
    controller: () => engine.controlBlock(0).leaderBroker,
    leaders: () => controls.map(({ leaderBroker }) => leaderBroker),
    /** Whether each partition is led as the metadata log says. */
    areLed: () =>
      describeTopic(engine.metadata, 't')!.partitions.every(
        ({ leader, leaderEpoch }, i) => leader >= 0 && leader === controls[i]!.leaderBroker && leaderEpoch === controls[i]!.leaderEpoch,
      ),
  }
}

export type StagedMillrace = Awaited<ReturnType<typeof openStaged>>

export const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await nextTurn()
}
