// Errors as responses of a group coordinator carry them: Kafka's numbers.
// Pure.

import { KAFKA_ERRORS } from '../../errors.ts'
import type { CheckedBy } from './group.ts'

/** What has no number of Kafka's is UNKNOWN_SERVER_ERROR. */
export function kafkaError(error: CheckedBy): number {
  return KAFKA_ERRORS[error as keyof typeof KAFKA_ERRORS] ?? KAFKA_ERRORS.UNKNOWN_SERVER_ERROR
}
