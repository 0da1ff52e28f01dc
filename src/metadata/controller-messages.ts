// What the controller receives. Sent by its own broker's thread: for itself, for
// peers and for clients, whose calls come in over their control channels.

import type { Reply } from '../actor/actor.ts'
import type {
  AlterConfigsCommand,
  BrokerRegistration,
  Committed,
  CreatedTopic,
  CreatePartitionsCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  MoveLeaderCommand,
  ProducerIdsBlock,
} from './controller-commands.ts'

export type ControllerMessage =
  | { readonly type: 'registerBroker'; readonly registration: BrokerRegistration; readonly reply: Reply<void> }
  | { readonly type: 'brokerDied'; readonly brokerId: number; readonly incarnation: number; readonly reply: Reply<void> }
  /** First message of a successor: what the log believes alive and is not, died. The first of all writes the log's first records. */
  | { readonly type: 'takeOver'; readonly reply: Reply<void> }
  | { readonly type: 'createTopic'; readonly command: CreateTopicCommand; readonly reply: Reply<CreatedTopic> }
  | { readonly type: 'deleteTopic'; readonly command: DeleteTopicCommand; readonly reply: Reply<Committed> }
  | { readonly type: 'createPartitions'; readonly command: CreatePartitionsCommand; readonly reply: Reply<Committed> }
  | { readonly type: 'alterConfigs'; readonly command: AlterConfigsCommand; readonly reply: Reply<Committed> }
  | { readonly type: 'moveLeader'; readonly command: MoveLeaderCommand; readonly reply: Reply<Committed> }
  | { readonly type: 'allocateProducerIds'; readonly reply: Reply<ProducerIdsBlock> }
