// Records of `__cluster_metadata-0` about brokers.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'
import type { Uuid } from '../schema.ts'

export interface BrokerEndpoint {
  name: string
  host: string
  port: number
  securityProtocol: number
}

export interface BrokerFeature {
  name: string
  minSupportedVersion: number
  maxSupportedVersion: number
}

export interface RegisterBrokerRecord {
  brokerId: number
  isMigratingZkBroker: boolean
  incarnationId: Uuid
  brokerEpoch: number
  endPoints: BrokerEndpoint[]
  features: BrokerFeature[]
  rack: string | null
  fenced: boolean
  inControlledShutdown: boolean
  logDirs: Uuid[]
  cordonedLogDirs: Uuid[] | null
}

export interface BrokerRegistrationChangeRecord {
  brokerId: number
  brokerEpoch: number
  fenced: number
  inControlledShutdown: number
  logDirs: Uuid[]
  cordonedLogDirs: Uuid[] | null
}

export interface FenceBrokerRecord {
  id: number
  epoch: number
}

export interface UnfenceBrokerRecord {
  id: number
  epoch: number
}

export interface UnregisterBrokerRecord {
  brokerId: number
  brokerEpoch: number
}

export interface ControllerEndpoint {
  name: string
  host: string
  port: number
  securityProtocol: number
}

export interface ControllerFeature {
  name: string
  minSupportedVersion: number
  maxSupportedVersion: number
}

export interface RegisterControllerRecord {
  controllerId: number
  incarnationId: Uuid
  zkMigrationReady: boolean
  endPoints: ControllerEndpoint[]
  features: ControllerFeature[]
}

export interface UnregisterControllerRecord {
  controllerId: number
}

export const REGISTER_BROKER_RECORD = new MessageSchema<RegisterBrokerRecord>(`
RegisterBrokerRecord 0-4 0+
  brokerId int32
  isMigratingZkBroker bool 2+
  incarnationId uuid
  brokerEpoch int64
  endPoints [] {
    name string
    host string
    port uint16
    securityProtocol int16
  }
  features [] {
    name string
    minSupportedVersion int16
    maxSupportedVersion int16
  }
  rack string ?
  fenced bool =true
  inControlledShutdown bool 1+
  logDirs []uuid 3+ #0
  cordonedLogDirs []uuid ? 4+ #1 =null
`)

export const BROKER_REGISTRATION_CHANGE_RECORD = new MessageSchema<BrokerRegistrationChangeRecord>(`
BrokerRegistrationChangeRecord 0-3 0+
  brokerId int32
  brokerEpoch int64
  fenced int8 #0
  inControlledShutdown int8 1+ #1
  logDirs []uuid 2+ #2
  cordonedLogDirs []uuid ? 3+ #3 =null
`)

export const FENCE_BROKER_RECORD = new MessageSchema<FenceBrokerRecord>(`
FenceBrokerRecord 0 0+
  id int32
  epoch int64
`)

export const UNFENCE_BROKER_RECORD = new MessageSchema<UnfenceBrokerRecord>(`
UnfenceBrokerRecord 0 0+
  id int32
  epoch int64
`)

export const UNREGISTER_BROKER_RECORD = new MessageSchema<UnregisterBrokerRecord>(`
UnregisterBrokerRecord 0 0+
  brokerId int32
  brokerEpoch int64
`)

export const REGISTER_CONTROLLER_RECORD = new MessageSchema<RegisterControllerRecord>(`
RegisterControllerRecord 0 0+
  controllerId int32
  incarnationId uuid
  zkMigrationReady bool
  endPoints [] {
    name string
    host string
    port uint16
    securityProtocol int16
  }
  features [] {
    name string
    minSupportedVersion int16
    maxSupportedVersion int16
  }
`)

export const UNREGISTER_CONTROLLER_RECORD = new MessageSchema<UnregisterControllerRecord>(`
UnregisterControllerRecord 0 0+
  controllerId int32
`)
