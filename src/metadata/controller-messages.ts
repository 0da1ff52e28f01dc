// What the controller receives. Sent by its own broker's thread: for itself, for
// peers and for clients, whose calls come in over their control channels.

import type { Reply } from '../actor/actor.ts'
import type { CreateTopicCommand, ProducerIdsBlock } from './controller.ts'
import type { TopicDescription } from './topic-description.ts'

export type ControllerMessage =
  | { readonly type: 'registerBroker'; readonly brokerId: number; readonly incarnation: number; readonly reply: Reply<void> }
  | { readonly type: 'brokerDied'; readonly brokerId: number; readonly incarnation: number; readonly reply: Reply<void> }
  /** The way to a broker is known now: what it was not told for want of one is told. */
  | { readonly type: 'peerConnected'; readonly brokerId: number; readonly incarnation: number; readonly reply: Reply<void> }
  /** First message of a successor: what the log believes alive and is not, died; what was decided is told again. */
  | { readonly type: 'takeOver'; readonly reply: Reply<void> }
  | { readonly type: 'createTopic'; readonly command: CreateTopicCommand; readonly reply: Reply<TopicDescription> }
  | { readonly type: 'describeTopic'; readonly name: string; readonly reply: Reply<TopicDescription | undefined> }
  | { readonly type: 'listTopics'; readonly reply: Reply<string[]> }
  | { readonly type: 'allocateProducerIds'; readonly reply: Reply<ProducerIdsBlock> }
