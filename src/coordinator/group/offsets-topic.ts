// The topic in which groups and the offsets they commit are kept. Pure.

/** Kafka's name for it. */
export const OFFSETS_TOPIC = '__consumer_offsets'
