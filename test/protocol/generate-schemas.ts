// Writes the tables of src/protocol from the facts of Kafka's schemas:
//
//   node test/protocol/generate-schemas.ts --write
//
// A test holds that the sources equal what this makes.

import { readFileSync, writeFileSync } from 'node:fs'
import { assert } from '../../src/assert.ts'
import { parseVersions } from '../../src/protocol/schema.ts'
import { readFacts } from './schema-facts.ts'
import { kebabCase, messageText, upperSnakeCase } from './schema-text.ts'
import type { FactApi, FactMessage, FactRecord, Facts } from './schema-facts.ts'
import type { Interfaces } from './schema-text.ts'

const SOURCES = new URL('../../src/protocol/', import.meta.url)

/** The APIs that a listener must serve, by number. */
export const SERVED_APIS: readonly number[] = [
  0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 42, 43,
  44, 45, 46, 47, 48, 49, 50, 51, 60, 61, 65, 66, 68, 69, 74, 75, 76, 77, 78, 79, 90, 91, 92,
]

// Where a broker advertises something else than what it can decode: Produce below 3 is
// looked at by old clients and never sent; the newest versions of others are not in a
// release of Kafka, or not stable.
const ADVERTISED: Readonly<Record<number, string>> = { 0: '0-13', 18: '0-4', 22: '0-5', 28: '0-5', 42: '0-2' }

const METADATA_FILES: Readonly<Record<string, readonly string[]>> = {
  topic: ['TopicRecord', 'PartitionRecord', 'PartitionChangeRecord', 'RemoveTopicRecord', 'ClearElrRecord', 'ConfigRecord'],
  broker: [
    'RegisterBrokerRecord',
    'BrokerRegistrationChangeRecord',
    'FenceBrokerRecord',
    'UnfenceBrokerRecord',
    'UnregisterBrokerRecord',
    'RegisterControllerRecord',
    'UnregisterControllerRecord',
  ],
  cluster: [
    'FeatureLevelRecord',
    'ProducerIdsRecord',
    'NoOpRecord',
    'BeginTransactionRecord',
    'EndTransactionRecord',
    'AbortTransactionRecord',
    'ZkMigrationStateRecord',
  ],
  access: [
    'AccessControlEntryRecord',
    'RemoveAccessControlEntryRecord',
    'ClientQuotaRecord',
    'DelegationTokenRecord',
    'RemoveDelegationTokenRecord',
    'UserScramCredentialRecord',
    'RemoveUserScramCredentialRecord',
  ],
}

const CLASSIC_GROUP_KINDS: readonly string[] = ['LegacyOffsetCommit', 'OffsetCommit', 'GroupMetadata']

const CONSUMER_GROUP_KINDS: readonly string[] = [
  'ConsumerGroupMetadata',
  'ConsumerGroupPartitionMetadata',
  'ConsumerGroupMemberMetadata',
  'ConsumerGroupTargetAssignmentMetadata',
  'ConsumerGroupTargetAssignmentMember',
  'ConsumerGroupCurrentMemberAssignment',
  'ConsumerGroupRegularExpression',
]

const TRANSACTION_KINDS: readonly string[] = ['TransactionLog']

const CONSUMER_PROTOCOL: readonly string[] = ['ConsumerProtocolSubscription', 'ConsumerProtocolAssignment']

/** The generated sources, by path in src/protocol. */
export function generateSchemas(facts: Facts): Map<string, string> {
  const files = new Map<string, string>()
  const apis = SERVED_APIS.map((key) => facts.apis.find(({ apiKey }) => apiKey === key)!)
  for (const api of apis) files.set(apiPath(api), apiText(api))
  files.set('api-table.ts', apiTableText(apis))
  files.set('api-messages.ts', apiMessagesText(apis))
  for (const [name, records] of Object.entries(METADATA_FILES)) {
    const header = `// Records of \`__cluster_metadata-0\` about ${name === 'access' ? 'access and quotas' : `${name}s`}`
    files.set(`records/${name}-records.ts`, fileText(header, pick(facts.metadata, records)))
  }
  files.set('records/metadata-records.ts', metadataRecordsText(facts.metadata))
  files.set(
    'records/classic-group-records.ts',
    fileText(
      '// Keys and values of `__consumer_offsets`: committed offsets and classic groups',
      pick(facts.group, keysAndValues(CLASSIC_GROUP_KINDS)),
    ),
  )
  files.set(
    'records/consumer-group-records.ts',
    fileText(
      '// Keys and values of `__consumer_offsets`: consumer groups (KIP-848)',
      pick(facts.group, keysAndValues(CONSUMER_GROUP_KINDS)),
    ),
  )
  const groupKinds = { 'classic-group': CLASSIC_GROUP_KINDS, 'consumer-group': CONSUMER_GROUP_KINDS }
  files.set('records/group-records.ts', kindsText('Group', '__consumer_offsets', groupKinds, facts.group))
  files.set(
    'records/transaction-log-records.ts',
    fileText('// Keys and values of `__transaction_state`', pick(facts.transaction, keysAndValues(TRANSACTION_KINDS))),
  )
  files.set(
    'records/transaction-records.ts',
    kindsText('Transaction', '__transaction_state', { 'transaction-log': TRANSACTION_KINDS }, facts.transaction),
  )
  const consumerProtocol = '// What members of a classic group send each other through the coordinator, with its version in front'
  files.set('records/consumer-protocol.ts', fileText(consumerProtocol, pick(facts.control, CONSUMER_PROTOCOL)))
  const control = facts.control.filter(({ name }) => !CONSUMER_PROTOCOL.includes(name))
  files.set('records/control-records.ts', fileText('// Values of control batches, and entries of a transaction index', control))
  return files
}

function pick<Message extends FactMessage>(messages: readonly Message[], names: readonly string[]): Message[] {
  return names.map((name) => {
    const found = messages.find((message) => message.name === name)
    assert(found !== undefined, `the facts hold ${name}`)
    return found
  })
}

function apiPath(api: FactApi): string {
  return `messages/${String(api.apiKey).padStart(2, '0')}-${kebabCase(api.name)}.ts`
}

function messagesOf(api: FactApi): FactMessage[] {
  return [
    { ...api.request, name: `${api.name}Request` },
    { ...api.response, name: `${api.name}Response` },
  ]
}

function apiText(api: FactApi): string {
  const [first, last] = versionsOf(api)
  const versions = first === last ? `version ${first}` : `versions ${first} to ${last}`
  return fileText(`// ${api.name}, API ${api.apiKey}: its request and response, ${versions}`, messagesOf(api))
}

function versionsOf(api: FactApi): readonly [number, number] {
  const request = parseVersions(api.request.validVersions)
  assert(api.response.validVersions === api.request.validVersions, `${api.name} has the same versions both ways`)
  return [request.first, request.last]
}

function headerText(header: string): string {
  return `${header}.\n// Written by test/protocol/generate-schemas.ts: change that, not this.\n\n`
}

function fileText(header: string, messages: readonly FactMessage[]): string {
  const interfaces: Interfaces = new Map()
  const schemas = messages.map((message) => messageText(message, interfaces))
  const declarations = [...interfaces].map(([name, body]) =>
    body === '' ? `export type ${name} = Record<string, never>\n` : `export interface ${name} ${body}`,
  )
  const usesUuid = declarations.some((declaration) => declaration.includes(': Uuid'))
  const parts = [
    headerText(header),
    "import { MessageSchema } from '../message-schema.ts'\n",
    usesUuid ? "import type { Uuid } from '../schema.ts'\n" : '',
    '\n',
    [...declarations, ...schemas].join('\n'),
  ]
  return parts.join('')
}

function apiTableText(apis: readonly FactApi[]): string {
  const rows = apis.map((api) => {
    const [first, last] = versionsOf(api)
    const advertised = parseVersions(ADVERTISED[api.apiKey] ?? `${first}-${last}`)
    const flexible = api.request.flexibleVersions === 'none' ? 'Infinity' : parseVersions(api.request.flexibleVersions).first
    return `  row(${api.apiKey}, '${api.name}', ${first}, ${last}, ${flexible}, ${advertised.first}, ${advertised.last}),\n`
  })
  return `${headerText("// Kafka's APIs: number, name, first and last version, first flexible version, first and last advertised version")}export const API_TABLE = [
${rows.join('')}] as const

function row<const Name extends string>(
  key: number,
  name: Name,
  minVersion: number,
  maxVersion: number,
  flexibleFrom: number,
  advertisedMin: number,
  advertisedMax: number,
) {
  return { key, name, minVersion, maxVersion, flexibleFrom, advertisedMin, advertisedMax }
}
`
}

function importText(names: readonly string[], from: string, kind = 'import'): string {
  const line = `${kind} { ${names.join(', ')} } from '${from}'\n`
  return line.length <= 141 ? line : `${kind} {\n${names.map((name) => `  ${name},\n`).join('')}} from '${from}'\n`
}

function entryText(name: string, properties: readonly string[]): string {
  const line = `  ${name}: { ${properties.join(', ')} },\n`
  return line.length <= 141 ? line : `  ${name}: {\n${properties.map((property) => `    ${property},\n`).join('')}  },\n`
}

function apiMessagesText(apis: readonly FactApi[]): string {
  const names = (api: FactApi): string[] => messagesOf(api).map(({ name }) => name)
  return [
    headerText('// The request and the response of every API. Who serves one API imports its file alone'),
    ...apis.map((api) => importText(names(api).map(upperSnakeCase), `./${apiPath(api)}`)),
    "import type { ApiName } from './api-keys.ts'\n",
    "import type { MessageSchema } from './message-schema.ts'\n\n",
    'export interface ApiMessages {\n  readonly request: MessageSchema<object>\n  readonly response: MessageSchema<object>\n}\n\n',
    'export const API_MESSAGES: Readonly<Record<ApiName, ApiMessages>> = {\n',
    ...apis.map((api) => {
      const [request, response] = names(api).map(upperSnakeCase)
      return entryText(api.name, [`request: ${request}`, `response: ${response}`])
    }),
    '}\n',
  ].join('')
}

function metadataRecordsText(records: readonly FactRecord[]): string {
  const files = Object.entries(METADATA_FILES)
  const all = pick(
    records,
    files.flatMap(([, names]) => names),
  ).sort((a, b) => a.apiKey - b.apiKey)
  assert(all.length === records.length, 'every metadata record has its file')
  return [
    headerText('// All records of `__cluster_metadata-0`, by name, with the number that stands in their frame'),
    ...files.map(([file, names]) => importText(names.map(upperSnakeCase), `./${file}-records.ts`)),
    ...files.map(([file, names]) => importText(names, `./${file}-records.ts`, 'import type')),
    '\nexport interface MetadataRecordTypes {\n',
    ...all.map(({ name }) => `  ${name}: ${name}\n`),
    '}\n\nexport const METADATA_RECORDS = {\n',
    ...all.map(({ name, apiKey }) => `  ${name}: { type: ${apiKey}, schema: ${upperSnakeCase(name)} },\n`),
    '}\n',
  ].join('')
}

function keysAndValues(kinds: readonly string[]): string[] {
  return kinds.flatMap((kind) => [`${kind}Key`, `${kind}Value`])
}

/** The kinds of records of a coordinator's topic, which stand in the named files. */
function kindsText(
  noun: string,
  topic: string,
  files: Readonly<Record<string, readonly string[]>>,
  records: readonly FactRecord[],
): string {
  const kinds = Object.values(files).flat()
  const types = kinds.map((kind) => `  ${kind}: readonly [${kind}Key, ${kind}Value]\n`)
  const rows = kinds.map((kind) => {
    const { apiKey } = records.find(({ name }) => name === `${kind}Key`)!
    const snake = upperSnakeCase(kind)
    return entryText(kind, [`type: ${apiKey}`, `key: ${snake}_KEY`, `value: ${snake}_VALUE`])
  })
  return [
    headerText(`// All kinds of records of \`${topic}\`, by name, with the number that their keys begin with`),
    ...Object.entries(files).map(([file, names]) => importText(keysAndValues(names).map(upperSnakeCase), `./${file}-records.ts`)),
    "import type { CoordinatorRecordKinds } from '../coordinator-record.ts'\n",
    ...Object.entries(files).map(([file, names]) => importText(keysAndValues(names), `./${file}-records.ts`, 'import type')),
    `\nexport interface ${noun}RecordTypes {\n`,
    ...types,
    `}\n\nexport const ${upperSnakeCase(noun)}_RECORDS: CoordinatorRecordKinds<${noun}RecordTypes> = {\n`,
    ...rows,
    '}\n',
  ].join('')
}

/** The text of a source as it is now; undefined where it is not there. */
export function readSource(path: string): string | undefined {
  try {
    return readFileSync(new URL(path, SOURCES), 'utf8')
  } catch {
    return undefined
  }
}

if (process.argv[1] === import.meta.filename) {
  const facts = readFacts()
  if (facts === undefined) throw new Error('the facts of Kafka’s schemas are not beside the repository')
  const files = generateSchemas(facts)
  const changed = [...files].filter(([path, text]) => readSource(path) !== text)
  if (process.argv.includes('--write')) for (const [path, text] of changed) writeFileSync(new URL(path, SOURCES), text)
  console.log(`${files.size} files, ${changed.length} ${process.argv.includes('--write') ? 'written' : 'differ'}`)
}
