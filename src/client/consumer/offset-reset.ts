// Where reading starts without a position, and goes on when the position is lost (Kafka:
// AutoOffsetResetStrategy, KIP-1106). Runs on the user's thread, when a consumer is opened.

/** The policy as it is given. A duration is ISO 8601 as Java writes it: days, hours, minutes and seconds, such as PT1H or P2DT12H. */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | `by_duration:${string}`

const PREFIX = 'by_duration:'
const DURATION = /^([+-])?P(?:([+-]?\d+)D)?(T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)(?:[.,](\d{1,9}))?S)?)?$/i
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const SECOND_MS = 1_000

/** How far back the policy starts, in ms; undefined for the others. */
export function resetDurationMs(policy: AutoOffsetReset): number | undefined {
  return policy.startsWith(PREFIX) ? parseDurationMs(policy.slice(PREFIX.length)) : undefined
}

/** In a table of settings: what the named policies leave. */
export const BY_DURATION = {
  expects: "'by_duration:' and a duration in ISO 8601, such as by_duration:PT1H or by_duration:P2D",
  accept: isByDuration,
}

/** Whether it is a policy with a duration that reaches back, and not forward. */
function isByDuration(value: unknown): boolean {
  if (typeof value !== 'string' || !value.startsWith(PREFIX)) return false
  const durationMs = parseDurationMs(value.slice(PREFIX.length))
  return durationMs !== undefined && durationMs >= 0 && Number.isSafeInteger(durationMs)
}

/** What Java's `Duration.parse` takes, in whole ms; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const parts = DURATION.exec(text)
  if (parts === null) return undefined
  const [, sign, days, time, hours, minutes, seconds, fraction] = parts
  // A T says that something follows, and so does the P.
  if (time?.length === 1 || (days === undefined && time === undefined)) return undefined
  const wholeMs = Number(days ?? 0) * DAY_MS + Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS
  const secondsMs = Number(seconds ?? 0) * SECOND_MS
  const fractionMs = Math.floor(Number(`0.${fraction ?? 0}`) * SECOND_MS)
  const durationMs = wholeMs + secondsMs + ((seconds ?? '').startsWith('-') ? -fractionMs : fractionMs)
  return sign === '-' ? 0 - durationMs : durationMs
}
