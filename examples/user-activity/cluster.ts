// The size of the example's cluster.

export const BROKERS = 3
export const PARTITIONS = 5
export const MALFORMED_PARTITIONS = 1
