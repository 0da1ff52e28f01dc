// ApiVersions, API 18: its request and response, versions 0 to 5.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface ApiVersionsRequest {
  clientSoftwareName: string
  clientSoftwareVersion: string
  clusterId: string | null
  nodeId: number
}

export interface ApiVersion {
  apiKey: number
  minVersion: number
  maxVersion: number
}

export interface SupportedFeatureKey {
  name: string
  minVersion: number
  maxVersion: number
}

export interface FinalizedFeatureKey {
  name: string
  maxVersionLevel: number
  minVersionLevel: number
}

export interface ApiVersionsResponse {
  errorCode: number
  apiKeys: ApiVersion[]
  throttleTimeMs: number
  supportedFeatures: SupportedFeatureKey[]
  finalizedFeaturesEpoch: number
  finalizedFeatures: FinalizedFeatureKey[]
  zkMigrationReady: boolean
}

export const API_VERSIONS_REQUEST = new MessageSchema<ApiVersionsRequest>(`
ApiVersionsRequest 0-5 3+
  clientSoftwareName string 3+ ~
  clientSoftwareVersion string 3+ ~
  clusterId string ? 5+ =null ~
  nodeId int32 5+ =-1 ~
`)

export const API_VERSIONS_RESPONSE = new MessageSchema<ApiVersionsResponse>(`
ApiVersionsResponse 0-5 3+
  errorCode int16
  apiKeys [] {
    apiKey int16
    minVersion int16
    maxVersion int16
  }
  throttleTimeMs int32 1+ ~
  supportedFeatures [] 3+ #0 ~ {
    name string
    minVersion int16
    maxVersion int16
  }
  finalizedFeaturesEpoch int64 3+ #1 =-1 ~
  finalizedFeatures [] 3+ #2 ~ {
    name string
    maxVersionLevel int16
    minVersionLevel int16
  }
  zkMigrationReady bool 3+ #3 ~
`)
