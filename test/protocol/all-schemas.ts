// Every message schema of the package.

import { API_MESSAGES } from '../../src/protocol/api-messages.ts'
import { MessageSchema } from '../../src/protocol/message-schema.ts'
import * as consumerProtocol from '../../src/protocol/records/consumer-protocol.ts'
import * as controlRecords from '../../src/protocol/records/control-records.ts'
import { GROUP_RECORDS } from '../../src/protocol/records/group-records.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-records.ts'
import { TRANSACTION_RECORDS } from '../../src/protocol/records/transaction-records.ts'

export const ALL_SCHEMAS: readonly MessageSchema<object>[] = [
  ...Object.values(API_MESSAGES).flatMap(({ request, response }) => [request, response]),
  ...Object.values(METADATA_RECORDS).map(({ schema }) => schema as MessageSchema<object>),
  ...Object.values(GROUP_RECORDS).flatMap(({ key, value }) => [key, value]),
  ...Object.values(TRANSACTION_RECORDS).flatMap(({ key, value }) => [key, value]),
  ...Object.values({ ...consumerProtocol, ...controlRecords }).filter((exported) => exported instanceof MessageSchema),
]

/** Each schema with each of its versions. */
export const ALL_VERSIONS: readonly (readonly [MessageSchema<object>, number])[] = ALL_SCHEMAS.flatMap((schema) =>
  Array.from({ length: schema.maxVersion - schema.minVersion + 1 }, (_, i) => [schema, schema.minVersion + i] as const),
)
