// Standard Schema (https://standardschema.dev, version 1) as types of our own: the
// shape that zod, valibot, arktype and others put under `~standard`. Only types
// and the one check that needs them; no dependency.
//
// Runs on the user's thread. Holds: validation is synchronous; a schema that
// answers with a promise is refused, because `offer` and `record.value` cannot wait.

import { MillraceError } from '../errors.ts'

/** A schema of any library that follows Standard Schema: it takes `Input` and makes `Output` of it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** Only for the type checker: never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[]; readonly value?: unknown }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type InferInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input']
export type InferOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** What a schema found wrong: the cause of a SERIALIZATION or DESERIALIZATION error. */
export class SchemaError extends Error {
  override readonly name: string = 'SchemaError'
  readonly issues: readonly SchemaIssue[]

  constructor(issues: readonly SchemaIssue[]) {
    super(describeIssues(issues))
    this.issues = issues
  }
}

// Values of every shape, so that a schema with an asynchronous step is likely to reach it.
const PROBES: readonly unknown[] = [undefined, null, '', 0, true, {}, []]

/**
 * Refuses what is not a Standard Schema, and, as far as probing can tell, an
 * asynchronous one: a step that only a valid value reaches shows at the first such
 * value, and `validateNow` refuses it then.
 */
export function checkSchema(schema: unknown): void {
  if (!isStandardSchema(schema)) {
    throw new MillraceError(
      'INVALID_CONFIG',
      'the schema has no "~standard".validate: give a Standard Schema (zod 3.24 and later, valibot 1, arktype 2, …)',
    )
  }
  // valibot marks its asynchronous schemas
  if ((schema as { async?: unknown }).async === true) throw asyncSchema()
  for (const probe of PROBES) {
    let result: unknown
    try {
      result = schema['~standard'].validate(probe)
    } catch {
      continue // a validator that throws on a probe says nothing about promises
    }
    refusePromise(result)
  }
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as { '~standard'?: { validate?: unknown } })['~standard']
  return typeof standard === 'object' && standard !== null && typeof standard.validate === 'function'
}

/** The validated (and transformed) value; throws SchemaError with the issues. */
export function validateNow<Output>(schema: StandardSchema<unknown, Output>, value: unknown): Output {
  const result = schema['~standard'].validate(value)
  refusePromise(result)
  const settled = result as SchemaResult<Output>
  if (settled.issues !== undefined) throw new SchemaError(settled.issues)
  return settled.value
}

function refusePromise(result: unknown): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return
  // Nobody will look at it: its rejection must not end the process.
  Promise.resolve(result).catch(() => {})
  throw asyncSchema()
}

function asyncSchema(): MillraceError {
  return new MillraceError(
    'INVALID_CONFIG',
    'the schema validates asynchronously, and records are encoded without waiting: do the asynchronous check before send',
  )
}

const ISSUES_SHOWN_MAX = 3

function describeIssues(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  const more = issues.length - shown.length
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}` || 'the schema gave no reason'
}
