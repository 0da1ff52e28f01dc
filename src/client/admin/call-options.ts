// The options of admin calls, in Kafka's names (CreateTopicsOptions, ListTopicsOptions and
// their kin). Runs on the user's thread, at each call.
// Holds: a wrong or unknown option is an INVALID_CONFIG that says what would be right.

import { checkOptions } from '../../config-def.ts'
import type { ConfigTable, Setting } from '../../config-def.ts'
import type { GroupState } from '../../coordinator/group/group.ts'
import type { GroupType } from './groups.ts'

/** What every call of `millrace.admin` takes. */
export interface AdminCallOptions {
  /** Ends the call with ABORTED; what it has asked for may be done all the same. `AbortSignal.timeout(ms)` bounds it in time. */
  readonly signal?: AbortSignal | undefined
}

/** What calls take that change the cluster. */
export interface AlterOptions extends AdminCallOptions {
  /** Checks everything, and changes nothing. Default: false. */
  readonly validateOnly?: boolean | undefined
}

/** What `listTopics` takes. */
export interface ListTopicsOptions extends AdminCallOptions {
  /** Lists the topics of millrace itself as well, whose names begin with two underscores. Default: false. */
  readonly listInternal?: boolean | undefined
}

/** What `describeConfigs` takes. */
export interface DescribeConfigsOptions extends AdminCallOptions {
  /** Only these configs; all unless given. */
  readonly names?: readonly string[] | undefined
  /** Tells everything that was said about a config, not only what counts. Default: false. */
  readonly includeSynonyms?: boolean | undefined
  /** Tells what each config means. Default: false. */
  readonly includeDocumentation?: boolean | undefined
}

/** What `listOffsets` takes. */
export interface ListOffsetsOptions extends AdminCallOptions {
  /**
   * Where a partition ends: at the high watermark, or under 'read_committed' before the first record of an open
   * transaction. Default: 'read_uncommitted'.
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed' | undefined
}

/** What `listGroups` takes. */
export interface ListGroupsOptions extends AdminCallOptions {
  /** Only groups in these states; all unless given. */
  readonly states?: readonly GroupState[] | undefined
  /** Only groups of these protocols; all unless given. */
  readonly types?: readonly GroupType[] | undefined
}

/** What `resetGroupOffsets` takes. */
export interface ResetGroupOffsetsOptions extends AdminCallOptions {
  /** Gives the plan, and changes nothing. Default: false. */
  readonly dryRun?: boolean | undefined
}

const signal: Setting<AbortSignal | undefined> = {
  type: 'custom',
  expects: 'an AbortSignal',
  accepts: (value) => value instanceof AbortSignal,
  default: undefined,
  takesEffect: 'immediately',
  doc: 'Ends the call with ABORTED; what it has asked for may be done all the same.',
}

/** A switch that is off unless it is given. */
function off(doc: string): Setting<boolean> {
  return { type: 'boolean', default: false, takesEffect: 'immediately', doc }
}

/** What others call these options, and the answer to those that have no meaning here. */
const OTHERS = {
  renamed: { abortSignal: 'signal' },
  answer: (name: string): string | undefined => ANSWERS.get(name),
} as const

const TIMEOUT = 'a call ends when it is answered or no broker can: bound it with signal: AbortSignal.timeout(ms)'
const ANSWERS: ReadonlyMap<string, string> = new Map([
  ['timeout', TIMEOUT],
  ['timeoutMs', TIMEOUT],
  ['waitForLeaders', 'a call that makes topics or partitions always waits until they are led: leave it out'],
  ['retryOnQuotaViolation', 'there are no quotas within a process: leave it out'],
  ['topics', 'the topics are the first argument: an array, or one'],
  ['topic', 'the topic is the first argument'],
  ['resources', 'the resources are the first argument: an array, or one'],
])

export const CALL_OPTIONS: ConfigTable<{ signal: AbortSignal | undefined }> = {
  what: 'admin option',
  settings: { signal },
  ...OTHERS,
}

export const ALTER_OPTIONS: ConfigTable<{ signal: AbortSignal | undefined; validateOnly: boolean }> = {
  what: 'admin option',
  settings: { signal, validateOnly: off('Checks everything, and changes nothing.') },
  renamed: { ...OTHERS.renamed, dryRun: 'validateOnly' },
  answer: OTHERS.answer,
}

export const LIST_TOPICS_OPTIONS: ConfigTable<{ signal: AbortSignal | undefined; listInternal: boolean }> = {
  what: 'listTopics option',
  settings: { signal, listInternal: off('Lists the topics of millrace itself as well, whose names begin with two underscores.') },
  renamed: { ...OTHERS.renamed, internal: 'listInternal', includeInternal: 'listInternal' },
  answer: OTHERS.answer,
}

export const DESCRIBE_CONFIGS_OPTIONS: ConfigTable<{
  signal: AbortSignal | undefined
  names: readonly string[] | undefined
  includeSynonyms: boolean
  includeDocumentation: boolean
}> = {
  what: 'describeConfigs option',
  settings: {
    signal,
    names: { type: 'list', default: undefined, takesEffect: 'immediately', doc: 'Only these configs; all unless given.' },
    includeSynonyms: off('Tells everything that was said about a config, not only what counts.'),
    includeDocumentation: off('Tells what each config means.'),
  },
  renamed: { ...OTHERS.renamed, configNames: 'names', synonyms: 'includeSynonyms', documentation: 'includeDocumentation' },
  answer: OTHERS.answer,
}

export const LIST_OFFSETS_OPTIONS: ConfigTable<{
  signal: AbortSignal | undefined
  isolationLevel: 'read_uncommitted' | 'read_committed'
}> = {
  what: 'listOffsets option',
  settings: {
    signal,
    isolationLevel: {
      type: 'one of',
      values: ['read_uncommitted', 'read_committed'],
      default: 'read_uncommitted',
      takesEffect: 'immediately',
      doc: "Where a partition ends: at the high watermark, or under 'read_committed' before the first record of an open transaction.",
    },
  },
  ...OTHERS,
}

export const LIST_GROUPS_OPTIONS: ConfigTable<{
  signal: AbortSignal | undefined
  states: readonly GroupState[] | undefined
  types: readonly GroupType[] | undefined
}> = {
  what: 'listGroups option',
  settings: {
    signal,
    states: {
      type: 'list',
      values: ['Empty', 'Assigning', 'Reconciling', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
      default: undefined,
      takesEffect: 'immediately',
      doc: 'Only groups in these states; all unless given.',
    },
    types: {
      type: 'list',
      values: ['classic', 'consumer'],
      default: undefined,
      takesEffect: 'immediately',
      doc: 'Only groups of these protocols; all unless given.',
    },
  },
  renamed: { ...OTHERS.renamed, inStates: 'states', withTypes: 'types' },
  answer: OTHERS.answer,
}

export const RESET_GROUP_OFFSETS_OPTIONS: ConfigTable<{ signal: AbortSignal | undefined; dryRun: boolean }> = {
  what: 'resetGroupOffsets option',
  settings: { signal, dryRun: off('Gives the plan, and changes nothing.') },
  renamed: { ...OTHERS.renamed, validateOnly: 'dryRun' },
  answer: OTHERS.answer,
}

/** Throws INVALID_CONFIG. */
export function checkCallOptions(options: AdminCallOptions | undefined): AbortSignal | undefined {
  return checkOptions(CALL_OPTIONS, options).signal
}
