// Which names of topics and numbers of partitions may stand in files and in their
// names. Pure; any thread.

const TOPIC_NAME_CHARS_MAX = 249
const PARTITION_MAX = 0x7fff_ffff

/** Kafka's rule: 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor "..". */
export function isTopicName(text: string): boolean {
  return text.length <= TOPIC_NAME_CHARS_MAX && /^[a-zA-Z0-9._-]+$/.test(text) && text !== '.' && text !== '..'
}

/** A partition's number as Kafka prints it, without leading zeros; -1 for any other text. */
export function parsePartition(text: string): number {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return -1
  const partition = Number(text)
  return partition <= PARTITION_MAX ? partition : -1
}
