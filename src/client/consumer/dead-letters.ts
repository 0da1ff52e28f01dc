// Records that were given up, on their way to the dead-letter topic: key, value and headers
// as they were, and why in more headers. Runs on the consumer's thread.
//
//   header                     value, all of them text
//   millrace.dlt.topic         where the record came from …
//   millrace.dlt.partition     … and
//   millrace.dlt.offset        …
//   millrace.dlt.timestamp     its own, in ms since the epoch: the dead letter's is that of its writing
//   millrace.dlt.group         the group that gave it up; none without a group
//   millrace.dlt.attempts      how often the handler was run; 0 where the record could not be decoded
//   millrace.dlt.error.name    of the error that ended it …
//   millrace.dlt.error.code    … where it has one
//   millrace.dlt.error.message … 1,000 characters of it at the most
//
// They stand behind the headers of the record, so `headers.get` finds those of the last time.

import type { HeaderValue } from '../headers.ts'
import type { Producer } from '../producer/producer.ts'
import type { ProducerOptions } from '../producer/producer-config.ts'
import { bytes, nullable } from '../serde.ts'
import type { Topic, TopicOptions } from '../topic-definition.ts'
import { rawRecord } from './consumer-record.ts'
import type { ConsumerRecord } from './consumer-record.ts'

const MESSAGE_CHARS_MAX = 1_000

type RawTopic = Topic<Uint8Array | null, Uint8Array | null>
type RawTopicOptions = TopicOptions<Uint8Array | null, Uint8Array | null, Uint8Array | null, Uint8Array | null>

/** The millrace that a topic is bound by, as far as dead letters need it. */
export interface DeadLetterOffice {
  topic(name: string, options: RawTopicOptions): Promise<RawTopic>
  producer(options: ProducerOptions): Producer
}

/** Where records go that were given up. */
export interface DeadLetters {
  /** Resolves when the dead letter is acknowledged. */
  write(record: ConsumerRecord, error: unknown, attempts: number): Promise<void>
  close(timeoutMs: number): Promise<void>
}

/** Makes the topic if it is missing. Its producer asks for all acknowledgements. */
export async function openDeadLetters(office: DeadLetterOffice, name: string, groupId: string | undefined): Promise<DeadLetters> {
  const topic = await office.topic(name, { key: nullable(bytes()), value: nullable(bytes()) })
  const producer = office.producer({ acks: 'all' })
  return {
    async write(record, error, attempts) {
      const { key, value } = rawRecord(record)
      await producer.send(topic, { key, value, headers: deadLetterHeaders(record, error, attempts, groupId) })
    },
    close: (timeoutMs) => producer.close({ timeoutMs }),
  }
}

/** The record's own headers, and those that say why it is here. */
export function deadLetterHeaders(
  record: ConsumerRecord,
  error: unknown,
  attempts: number,
  groupId: string | undefined,
): [string, HeaderValue][] {
  const { name, code, message } = describe(error)
  const reasons: [string, string | undefined][] = [
    ['topic', record.topic],
    ['partition', `${record.partition}`],
    ['offset', `${record.offset}`],
    ['timestamp', `${record.timestamp}`],
    ['group', groupId],
    ['attempts', `${attempts}`],
    ['error.name', name],
    ['error.code', code],
    ['error.message', message.slice(0, MESSAGE_CHARS_MAX)],
  ]
  const headers: [string, HeaderValue][] = [...record.headers].map(({ key, value }) => [key, value])
  for (const [reason, text] of reasons) if (text !== undefined) headers.push([`millrace.dlt.${reason}`, text])
  return headers
}

function describe(error: unknown): { name: string; code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', code: undefined, message: String(error) }
  const { code } = error as { code?: unknown }
  return { name: error.name, code: typeof code === 'string' ? code : undefined, message: error.message }
}
