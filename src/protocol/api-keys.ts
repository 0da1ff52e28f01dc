// Kafka's APIs: name, number, versions. What the codec knows of an API, and what a
// broker advertises, which may be less (a version not yet stable) or more (Produce from
// 0, which old clients only look at).
// Pure; any thread.

import { API_TABLE } from './api-table.ts'

export type ApiName = (typeof API_TABLE)[number]['name']

export interface ApiKey {
  readonly key: number
  readonly name: ApiName
  /** Both ends can be encoded and decoded. */
  readonly minVersion: number
  readonly maxVersion: number
  /** The first flexible version (KIP-482); Infinity where there is none. */
  readonly flexibleFrom: number
  /** What ApiVersions answers. */
  readonly advertisedMin: number
  readonly advertisedMax: number
}

const BY_KEY = new Map<number, ApiKey>()
const BY_NAME = new Map<string, ApiKey>()
for (const api of API_TABLE) {
  BY_KEY.set(api.key, api)
  BY_NAME.set(api.name, api)
}

/** All of them, by number. */
export const API_KEYS: readonly ApiKey[] = API_TABLE

export const API_VERSIONS_KEY = 18

/** Undefined for an API that is not known. */
export function findApiKey(key: number): ApiKey | undefined {
  return BY_KEY.get(key)
}

export function apiKey(name: ApiName): ApiKey {
  return BY_NAME.get(name)!
}

/** Whether requests and responses of that version can be read and written. */
export function isApiVersionKnown(key: number, version: number): boolean {
  const api = BY_KEY.get(key)
  return api !== undefined && version >= api.minVersion && version <= api.maxVersion
}
