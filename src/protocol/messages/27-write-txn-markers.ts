// WriteTxnMarkers, API 27: its request and response, versions 1 to 2.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { MessageSchema } from '../message-schema.ts'

export interface WritableTxnMarkerTopic {
  name: string
  partitionIndexes: number[]
}

export interface WritableTxnMarker {
  producerId: number
  producerEpoch: number
  transactionResult: boolean
  topics: WritableTxnMarkerTopic[]
  coordinatorEpoch: number
  transactionVersion: number
}

export interface WriteTxnMarkersRequest {
  markers: WritableTxnMarker[]
}

export interface WritableTxnMarkerPartitionResult {
  partitionIndex: number
  errorCode: number
}

export interface WritableTxnMarkerTopicResult {
  name: string
  partitions: WritableTxnMarkerPartitionResult[]
}

export interface WritableTxnMarkerResult {
  producerId: number
  topics: WritableTxnMarkerTopicResult[]
}

export interface WriteTxnMarkersResponse {
  markers: WritableTxnMarkerResult[]
}

export const WRITE_TXN_MARKERS_REQUEST = new MessageSchema<WriteTxnMarkersRequest>(`
WriteTxnMarkersRequest 1-2 1+
  markers [] {
    producerId int64
    producerEpoch int16
    transactionResult bool
    topics [] {
      name string
      partitionIndexes []int32
    }
    coordinatorEpoch int32
    transactionVersion int8 2+ ~
  }
`)

export const WRITE_TXN_MARKERS_RESPONSE = new MessageSchema<WriteTxnMarkersResponse>(`
WriteTxnMarkersResponse 1-2 1+
  markers [] {
    producerId int64
    topics [] {
      name string
      partitions [] {
        partitionIndex int32
        errorCode int16
      }
    }
  }
`)
