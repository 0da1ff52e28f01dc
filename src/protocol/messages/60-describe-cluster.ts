// DescribeCluster, API 60: its request and response, versions 0 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface DescribeClusterRequest {
  includeClusterAuthorizedOperations: boolean
  endpointType: number
  includeFencedBrokers: boolean
}

export interface DescribeClusterBroker {
  brokerId: number
  host: string
  port: number
  rack: string | null
  isFenced: boolean
}

export interface DescribeClusterResponse {
  throttleTimeMs: number
  errorCode: number
  errorMessage: string | null
  endpointType: number
  clusterId: string
  controllerId: number
  brokers: DescribeClusterBroker[]
  clusterAuthorizedOperations: number
}

export const DESCRIBE_CLUSTER_REQUEST = new MessageSchema<DescribeClusterRequest>(`
DescribeClusterRequest 0-2 0+
  includeClusterAuthorizedOperations bool
  endpointType int8 1+ =1
  includeFencedBrokers bool 2+
`)

export const DESCRIBE_CLUSTER_RESPONSE = new MessageSchema<DescribeClusterResponse>(`
DescribeClusterResponse 0-2 0+
  throttleTimeMs int32
  errorCode int16
  errorMessage string ? =null
  endpointType int8 1+ =1
  clusterId string
  controllerId int32 =-1
  brokers [] {
    brokerId int32
    host string
    port int32
    rack string ? =null
    isFenced bool 2+
  }
  clusterAuthorizedOperations int32 =-2147483648
`)
