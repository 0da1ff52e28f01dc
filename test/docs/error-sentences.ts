// For each error code: when it comes, and what to do. The page of errors takes the
// codes that the sources raise; a test holds that each of them has its sentences here.

import type { ErrorName } from '../../src/errors.ts'

export interface ErrorSentence {
  readonly when: string
  readonly remedy: string
}

const REPORT = 'It is a defect of millrace: please report it with its message.'
const INSIDE = 'It stays between brokers, and does not reach your calls.'

export const ERROR_SENTENCES: Partial<Readonly<Record<ErrorName, ErrorSentence>>> = {
  // --- ours
  ABORTED: {
    when: 'The AbortSignal of the call fired; its reason is the `cause`.',
    remedy: 'Nothing: you asked for it. A record that was taken before may be in the log.',
  },
  ACTOR_FAILED: {
    when: 'An actor of a broker failed before it had answered.',
    remedy: 'Call again: another broker takes over, or the same one once it has started again.',
  },
  ASSERTION_FAILED: { when: 'Something that always holds did not; the thread ends so that nothing wrong is written.', remedy: REPORT },
  BUFFER_EXHAUSTED: {
    when: "The producer's memory (`bufferMemory`) stayed full for `maxBlockMs`: brokers acknowledge more slowly than you send.",
    remedy: 'Send again later, raise `bufferMemory` or `maxBlockMs`, or use `offer` and `drained()`, which tell you to slow down.',
  },
  CLOSED: {
    when: 'The millrace, producer or consumer was closed, or the thread that opened millrace has ended.',
    remedy: 'Open or attach another one.',
  },
  DESERIALIZATION: {
    when: "A key or value cannot be decoded by the topic's serde; thrown where it is touched, naming topic, partition and offset.",
    remedy: 'Bind the topic with the serde that it was written with, or with `bytes()` to look at the bytes. The next records can be read.',
  },
  MAILBOX_FULL: {
    when: 'An actor has more control messages waiting than its mailbox takes.',
    remedy: 'Make fewer calls at the same time, and call again.',
  },
  SERIALIZATION: {
    when: "A key, value or header is nothing that the topic's serde can encode.",
    remedy: 'Mend the record: the message says what was given and what is taken.',
  },
  PROCESSING_FAILED: {
    when: 'A record that `consumer.process` gave up has no dead-letter topic, or that could not be written; the `cause` says why.',
    remedy: 'Mend the handler, or name a `deadLetterTopic`, and process again: the record is not settled, and comes first.',
  },
  SETTLED_EARLY: {
    when: 'A record came to a millrace operator or `hold()` after it was settled: an RxJS operator had kept it beyond the call of `next`.',
    remedy: 'Do that work inside `process`, or take `record.hold()` in the call that brings the record, and `release()` it after the work.',
  },
  THREAD_DIED: { when: 'The thread that was to answer has ended.', remedy: 'Call again: living brokers take over within milliseconds.' },
  UNSUPPORTED_RUNTIME: { when: 'This Node.js is too old.', remedy: 'Use Node.js 22.22 or later.' },

  // --- requests and configs
  INVALID_REQUEST: {
    when: 'A call was given what it does not take, or came at the wrong time.',
    remedy: 'Mend the call: the message says how.',
  },
  INVALID_CONFIG: {
    when: 'An option or config has no such name or value, is not there yet, or an existing topic differs from its definition.',
    remedy: 'Mend it: the message says the nearest right name, or the range.',
  },
  INVALID_TOPIC_EXCEPTION: {
    when: "The name is none for a topic, or the topic is millrace's own.",
    remedy: 'Take a name of 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-".',
  },
  INVALID_PARTITIONS: {
    when: 'The number of partitions is none, or there is no room for them.',
    remedy: 'Ask for fewer, or raise `partitionsMax` of openMillrace.',
  },
  INVALID_REPLICATION_FACTOR: {
    when: 'More replicas are asked for than there can be.',
    remedy: 'Ask for as many as there are brokers at most; only 1 so far.',
  },
  INVALID_REPLICA_ASSIGNMENT: {
    when: 'Replicas are put on brokers that are none, or twice on one.',
    remedy: 'Mend the assignment: the message says which broker.',
  },
  INVALID_TIMESTAMP: {
    when: 'A timestamp is no whole number of milliseconds, or is farther from now than the topic takes.',
    remedy: 'Give milliseconds since the epoch, as `Date.now()` does.',
  },
  TOPIC_ALREADY_EXISTS: { when: 'A topic is to be made whose name is taken.', remedy: 'Bind it with `millrace.topic(name)`.' },
  UNKNOWN_TOPIC_OR_PARTITION: {
    when: 'There is no such topic, or it has fewer partitions.',
    remedy:
      'Make it with `millrace.topic(…)`, or mend the number: partitions count from 0. It is retriable only where the topic may be about to come.',
  },
  UNKNOWN_TOPIC_ID: {
    when: 'The topic was deleted, and perhaps made anew, after it was bound.',
    remedy: 'Bind it again with `millrace.topic(…)`.',
  },
  INCONSISTENT_CLUSTER_ID: {
    when: 'Log directories of a data directory belong to different clusters: the message names both files.',
    remedy: 'Move the one away that does not belong there.',
  },
  INCONSISTENT_TOPIC_ID: { when: 'The topic was deleted and made anew under its name.', remedy: 'Bind it again with `millrace.topic(…)`.' },
  TOPIC_DELETION_DISABLED: {
    when: 'A topic is to be deleted, and `delete.topic.enable` is false.',
    remedy: "Open with `config: { 'delete.topic.enable': true }`, or leave it out.",
  },
  POLICY_VIOLATION: {
    when: "Records are to be deleted of a topic whose `cleanup.policy` has no 'delete'.",
    remedy: "Alter its `cleanup.policy` to 'compact,delete', or leave the records.",
  },
  DUPLICATE_RESOURCE: { when: 'Something with this name or id is there already.', remedy: INSIDE },
  RESOURCE_NOT_FOUND: { when: 'What was asked about is not there.', remedy: 'Mend the name.' },
  UNSUPPORTED_VERSION: {
    when: 'A request, a record of an internal topic, or a file of a data directory is of a version or a kind that is not known here.',
    remedy:
      'Use one version of millrace, and of its clients a version that ApiVersions names. A newer data directory wants a newer millrace.',
  },

  // --- producing
  MESSAGE_TOO_LARGE: {
    when: "A record is larger than the producer's `maxRequestSize` or the topic's `max.message.bytes`.",
    remedy: 'Send less in a record, or raise both.',
  },
  RECORD_LIST_TOO_LARGE: {
    when: 'A compressed batch holds more than 64 MiB of records: a bomb, or a batch of a size that no client makes.',
    remedy: 'Produce smaller batches; `seek` behind it to go on reading.',
  },
  INVALID_REQUIRED_ACKS: { when: "`acks` is neither 0, 1 nor 'all'.", remedy: 'Give one of these.' },
  INVALID_RECORD: {
    when: 'A record within a batch breaks a rule of its topic, for instance has no key where there is compaction.',
    remedy: 'Mend the record.',
  },
  CORRUPT_MESSAGE: {
    when: 'A batch is not what it should be: wrong CRC, wrong lengths.',
    remedy: 'Memory was damaged, by foreign code for instance: look for what writes to it. Sending again sends good bytes.',
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    when: "A batch is compressed in a way that is none of Kafka's.",
    remedy: 'Send it with gzip, snappy, lz4 or zstd, or uncompressed.',
  },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { when: 'A batch is not of format 2.', remedy: 'Send record batches of version 2.' },
  NOT_LEADER_OR_FOLLOWER: {
    when: 'The broker that was asked does not lead the partition, or not any more.',
    remedy: 'The producer sends again by itself, to the new leader, until `deliveryTimeoutMs`. With `retries: 0`, send again.',
  },
  LEADER_NOT_AVAILABLE: { when: 'The partition has no leader at this moment.', remedy: 'Call again in a moment.' },
  FENCED_LEADER_EPOCH: {
    when: 'The batch or the read names an older leader epoch than the partition has.',
    remedy: 'The producer sends again by itself; with `retries: 0`, send again.',
  },
  UNKNOWN_LEADER_EPOCH: {
    when: 'The batch names a newer leader epoch than its broker knows.',
    remedy: 'The producer sends again by itself; with `retries: 0`, send again.',
  },
  NETWORK_EXCEPTION: {
    when: 'The broker thread died while the batch was on its way, and `retries` allows no more: whether it is in the log is not known.',
    remedy: 'Raise `retries`, whose default has no such limit; or send again, knowing that the record may then stand twice.',
  },
  REQUEST_TIMED_OUT: {
    when: 'No acknowledgement within `deliveryTimeoutMs`, or no controller answered in time.',
    remedy: 'See whether broker threads are blocked; send again, knowing that the record may then stand twice.',
  },
  KAFKA_STORAGE_ERROR: {
    when: 'The disk failed, or a file of a data directory is damaged: the message names it. Also when log memory is full and nothing in it may go: pinned topics fill their half of it.',
    remedy:
      'Do what the message says. A partition whose files failed takes nothing more until millrace is opened again; others go on. Where memory is full, raise `logMemoryBytes`, or give pinned topics a `retention.bytes`: the producer sends again until `deliveryTimeoutMs`.',
  },
  NOT_ENOUGH_REPLICAS: {
    when: 'Fewer replicas are in sync than `min.insync.replicas` asks for; nothing was written.',
    remedy: 'Send again when they have caught up.',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    when: 'Replicas fell behind after the batch was appended.',
    remedy: 'Send again, knowing that the record may then stand twice.',
  },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    when: 'A batch of an idempotent producer does not follow the one before it: one in between is missing.',
    remedy: 'Let `flush` or `send` tell which records failed, and send those again.',
  },
  DUPLICATE_SEQUENCE_NUMBER: {
    when: 'A batch of an idempotent producer was appended before, and its offset is not remembered any more.',
    remedy: 'Nothing: the record is in the log, once.',
  },
  INVALID_PRODUCER_EPOCH: {
    when: 'A batch bears an older epoch than its producer id has.',
    remedy: 'Open another producer, and send again what was not acknowledged.',
  },
  UNKNOWN_PRODUCER_ID: {
    when:
      'The leader of the partition died before it acknowledged the record, and retention took all that the producer had written there ' +
      'before it could be sent again: it may have been in the log.',
    remedy: 'Send it again if a duplicate does no harm; give the topic, or log memory, more room.',
  },
  INVALID_PRODUCER_ID_MAPPING: {
    when: 'The producer id is not the one that belongs to the transactional id.',
    remedy: 'Open another producer.',
  },
  PRODUCER_FENCED: { when: 'Another producer has taken over the transactional id.', remedy: 'Close this one: the other goes on.' },
  INVALID_TXN_STATE: {
    when: 'The call does not fit the state of the transaction.',
    remedy: 'Begin a transaction first, and end it before the next.',
  },
  CONCURRENT_TRANSACTIONS: { when: 'The transaction before is not over yet.', remedy: 'Call again in a moment.' },
  TRANSACTION_ABORTABLE: { when: 'Something in the transaction failed.', remedy: 'Abort it, and do its work again.' },

  // --- consuming
  OFFSET_OUT_OF_RANGE: {
    when: "The offset is not in the log, and `autoOffsetReset` is 'none'; or it is no offset at all.",
    remedy: 'Seek to an offset that is there, or let `autoOffsetReset` decide.',
  },
  OFFSET_NOT_AVAILABLE: {
    when: 'The offset is being looked up, or the new leader does not know it yet.',
    remedy: 'Call again in a moment.',
  },
  GROUP_ID_NOT_FOUND: { when: 'There is no such group.', remedy: 'Mend the name.' },
  INVALID_GROUP_ID: { when: 'The group id is empty or none.', remedy: 'Give it a name.' },
  NON_EMPTY_GROUP: { when: 'The group has members.', remedy: 'End them first.' },
  UNKNOWN_MEMBER_ID: { when: 'The group does not know this member, or has put it out.', remedy: 'It joins again by itself.' },
  ILLEGAL_GENERATION: {
    when: 'The member speaks of a generation of the group that is over.',
    remedy: 'It joins again by itself; what it commits late is not taken.',
  },
  FENCED_MEMBER_EPOCH: { when: 'The member speaks of an epoch of the group that is over.', remedy: 'It joins again by itself.' },
  STALE_MEMBER_EPOCH: { when: 'The member commits under an epoch that is over.', remedy: 'Commit again after the rebalance.' },
  REBALANCE_IN_PROGRESS: { when: 'The group gives its partitions out anew.', remedy: 'Commit again after the rebalance.' },
  FENCED_INSTANCE_ID: { when: 'Another member has taken over the same `groupInstanceId`.', remedy: 'Give each member an id of its own.' },
  UNRELEASED_INSTANCE_ID: {
    when: 'A member with the same `groupInstanceId` is still in the group.',
    remedy: 'Give each member an id of its own, or end the other one first.',
  },
  GROUP_MAX_SIZE_REACHED: {
    when: 'The group has as many members as `group.max.size` or `group.consumer.max.size` allows.',
    remedy: 'Start fewer members, or raise the config.',
  },
  UNSUPPORTED_ASSIGNOR: {
    when: 'A member asks for a way to assign partitions that `group.consumer.assignors` does not name.',
    remedy: "Use 'uniform' or 'range' as `groupRemoteAssignor`, or leave it out.",
  },
  INVALID_REGULAR_EXPRESSION: {
    when: 'A subscribed pattern is no regular expression.',
    remedy: 'Mend the pattern: the message says what is wrong.',
  },
  INCONSISTENT_GROUP_PROTOCOL: {
    when: 'A classic member shares no assignor, or no protocol type, with the members of its group.',
    remedy: 'Give all members of the group one assignor in common.',
  },
  OFFSET_METADATA_TOO_LARGE: {
    when: 'The text that is committed with an offset is longer than `offset.metadata.max.bytes`.',
    remedy: 'Commit a shorter text, or raise the config.',
  },
  INVALID_COMMIT_OFFSET_SIZE: { when: 'One commit is larger than a batch may be.', remedy: 'Commit fewer partitions at a time.' },
  INVALID_FETCH_SIZE: { when: 'A batch of the coordinator is larger than its log takes.', remedy: INSIDE },
  INVALID_SESSION_TIMEOUT: {
    when: 'A classic member asks for a session timeout that its broker does not allow.',
    remedy: 'Take one within `group.min.session.timeout.ms` and `group.max.session.timeout.ms`.',
  },
  MEMBER_ID_REQUIRED: { when: 'A classic member joins for the first time: it is given its id.', remedy: 'It joins again by itself.' },
  GROUP_SUBSCRIBED_TO_TOPIC: {
    when: 'Offsets cannot be deleted while members of the group are subscribed to their topic.',
    remedy: 'End the members first.',
  },
  COORDINATOR_NOT_AVAILABLE: { when: 'The group has no coordinator at this moment.', remedy: 'Call again in a moment.' },
  COORDINATOR_LOAD_IN_PROGRESS: { when: "The group's coordinator is loading it.", remedy: 'Call again in a moment.' },
  NOT_COORDINATOR: { when: 'The broker that was asked is not the coordinator any more.', remedy: 'Call again: the new one is found.' },
  UNSTABLE_OFFSET_COMMIT: { when: 'Offsets are part of a transaction that is not over.', remedy: 'Call again in a moment.' },

  // --- brokers
  BROKER_NOT_AVAILABLE: {
    when: 'A broker thread did not start, or every broker died too often and was given up.',
    remedy: 'See the `cause` and the log; with a bundler, bundle `millrace/worker` and pass `workerUrl`. Then open millrace again.',
  },
  NOT_CONTROLLER: {
    when: 'The broker that was asked is not the controller any more.',
    remedy: 'Nothing: calls find the new one by themselves.',
  },
  STALE_BROKER_EPOCH: { when: 'A broker speaks for an incarnation that is over.', remedy: INSIDE },
  BROKER_ID_NOT_REGISTERED: { when: 'There is no such broker.', remedy: 'Mend its id: they count from 0.' },
  ELECTION_NOT_NEEDED: { when: 'The partition has the leader already that it is to get.', remedy: 'Nothing.' },
  PREFERRED_LEADER_NOT_AVAILABLE: {
    when: 'The broker that is to lead the partition is not there.',
    remedy: 'Call again when it has started.',
  },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { when: 'No broker may lead the partition.', remedy: 'Call again when one has started.' },
  NO_REASSIGNMENT_IN_PROGRESS: { when: 'No replicas of the partition are on the move.', remedy: 'Nothing.' },
  REASSIGNMENT_IN_PROGRESS: { when: 'Replicas of the partition are on the move already.', remedy: 'Call again when they have arrived.' },
  REPLICA_NOT_AVAILABLE: { when: 'The broker has no replica of the partition.', remedy: 'Call again: another is asked.' },
  THROTTLING_QUOTA_EXCEEDED: { when: 'More was asked for than a quota allows.', remedy: 'Call again later.' },
  UNKNOWN_SERVER_ERROR: { when: 'A broker met an error that has no code; the message and the `cause` say which.', remedy: REPORT },
}
