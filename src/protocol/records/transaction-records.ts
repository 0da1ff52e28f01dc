// All kinds of records of `__transaction_state`, by name, with the number that their keys begin with.
// Written by test/protocol/generate-schemas.ts: change that, not this.

import { TRANSACTION_LOG_KEY, TRANSACTION_LOG_VALUE } from './transaction-log-records.ts'
import type { CoordinatorRecordKinds } from '../coordinator-record.ts'
import type { TransactionLogKey, TransactionLogValue } from './transaction-log-records.ts'

export interface TransactionRecordTypes {
  TransactionLog: readonly [TransactionLogKey, TransactionLogValue]
}

export const TRANSACTION_RECORDS: CoordinatorRecordKinds<TransactionRecordTypes> = {
  TransactionLog: { type: 0, key: TRANSACTION_LOG_KEY, value: TRANSACTION_LOG_VALUE },
}
