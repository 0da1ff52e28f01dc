// One line of an access log in Apache's combined format, taken apart.
//
//   83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 2326 "http://referrer/" "Mozilla/5.0"
//   client  ident  user   time                         request              status bytes referrer         agent
//
// Runs on the producer threads. It never throws: a line that is not in the format
// comes back as `malformed`, with the reason. Every step searches forward from
// where the last one ended, so the time taken is linear in the length of the line,
// whatever is in it. Quoted fields are kept as the log has them, escapes included.

/** What a line says, apart from who asked (the record's key) and when (its timestamp). */
export interface Visit {
  readonly user: string | null
  readonly method: string
  readonly path: string
  readonly protocol: string
  readonly status: number
  readonly bytes: number
  readonly referrer: string | null
  readonly agent: string | null
}

export interface ParsedLine {
  readonly client: string
  readonly timestampMs: number
  readonly visit: Visit
}

export interface MalformedLine {
  readonly malformed: string
}

export function parseLine(line: string): ParsedLine | MalformedLine {
  if (line === '') return malformed('the line is empty')
  const clientEnd = line.indexOf(' ')
  if (clientEnd <= 0) return malformed('no client address')
  const identityEnd = line.indexOf(' ', clientEnd + 1)
  const timeStart = line.indexOf(' [', identityEnd)
  if (identityEnd < 0 || timeStart < 0) return malformed('no time in brackets')
  const timestampMs = parseTime(line, timeStart + 2)
  if (timestampMs === undefined) return malformed('the time is not like [17/May/2015:10:05:03 +0000]')

  const requestStart = timeStart + 2 + TIME_LENGTH + 2
  const requestEnd = closingQuote(line, requestStart)
  if (requestEnd < 0) return malformed('no request in quotes')
  const statusStart = requestEnd + 2
  const statusEnd = line.indexOf(' ', statusStart)
  const status = statusEnd - statusStart === 3 ? digits(line, statusStart, statusEnd) : -1
  if (line[requestEnd + 1] !== ' ' || status < 0) return malformed('the status is not a number of three digits')
  const bytesEnd = endOfWord(line, statusEnd + 1)
  const bytes = line.slice(statusEnd + 1, bytesEnd) === '-' ? 0 : digits(line, statusEnd + 1, bytesEnd)
  if (bytes < 0) return malformed('the size is neither a number nor "-"')

  const referrerEnd = closingQuote(line, bytesEnd + 1)
  if (referrerEnd < 0) return malformed('no referrer in quotes')
  const agentEnd = closingQuote(line, referrerEnd + 2)
  if (agentEnd < 0) return malformed('no user agent in quotes')

  const user = dashIsNull(line.slice(identityEnd + 1, timeStart))
  const referrer = dashIsNull(line.slice(bytesEnd + 2, referrerEnd))
  const agent = dashIsNull(line.slice(referrerEnd + 3, agentEnd))
  const request = parseRequest(line.slice(requestStart + 1, requestEnd))
  return { client: line.slice(0, clientEnd), timestampMs, visit: { user, ...request, status, bytes, referrer, agent } }
}

function malformed(reason: string): MalformedLine {
  return { malformed: reason }
}

function dashIsNull(text: string): string | null {
  return text === '-' ? null : text
}

/** `GET /path HTTP/1.1`. Anybody can send anything: what has another form is all path, with an empty method. */
function parseRequest(request: string): { method: string; path: string; protocol: string } {
  const methodEnd = request.indexOf(' ')
  const pathEnd = request.lastIndexOf(' ')
  if (methodEnd <= 0 || pathEnd === methodEnd) return { method: '', path: request, protocol: '' }
  return { method: request.slice(0, methodEnd), path: request.slice(methodEnd + 1, pathEnd), protocol: request.slice(pathEnd + 1) }
}

/** Where the quoted field that opens at `start` closes; -1 when it does not open there, or never closes. */
function closingQuote(line: string, start: number): number {
  if (line[start] !== '"' || (start > 0 && line[start - 1] !== ' ')) return -1
  let end = line.indexOf('"', start + 1)
  while (end > 0 && isEscaped(line, end, start)) end = line.indexOf('"', end + 1)
  return end
}

/** A quote is escaped when an odd number of backslashes stands before it. */
function isEscaped(line: string, quote: number, start: number): boolean {
  let first = quote
  while (first - 1 > start && line[first - 1] === '\\') first--
  return (quote - first) % 2 === 1
}

function endOfWord(line: string, start: number): number {
  const end = line.indexOf(' ', start)
  return end < 0 ? line.length : end
}

/** The number written in digits from `start` to `end`; -1 when anything else stands there. */
function digits(line: string, start: number, end: number): number {
  if (end <= start || end - start > 15) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = line.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

const TIME_LENGTH = '17/May/2015:10:05:03 +0000'.length
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MINUTE_MS = 60_000

/** Milliseconds since 1970 of the time that starts at `at`; undefined when it is no time, none since 1970, or `]` does not follow. */
function parseTime(line: string, at: number): number | undefined {
  const separators = line[at + 2] === '/' && line[at + 6] === '/' && line[at + 11] === ':' && line[at + 14] === ':'
  if (!separators || line[at + 17] !== ':' || line[at + 20] !== ' ' || line[at + 26] !== ']') return undefined
  const day = digits(line, at, at + 2)
  const month = MONTHS.indexOf(line.slice(at + 3, at + 6))
  const year = digits(line, at + 7, at + 11)
  const hour = digits(line, at + 12, at + 14)
  const minute = digits(line, at + 15, at + 17)
  const second = digits(line, at + 18, at + 20)
  const zoneSign = line[at + 21] === '+' ? 1 : line[at + 21] === '-' ? -1 : 0
  const zoneHours = digits(line, at + 22, at + 24)
  const zoneMinutes = digits(line, at + 24, at + 26)
  if (day < 1 || month < 0 || year < 1970 || hour < 0 || minute < 0 || second < 0 || zoneHours < 0 || zoneMinutes < 0) return undefined
  if (hour > 23 || minute > 59 || second > 60 || zoneSign === 0 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const midnightMs = Date.UTC(year, month, day)
  if (day > 28 && new Date(midnightMs).getUTCDate() !== day) return undefined // 31 April
  const timestampMs = midnightMs + (hour * 60 + minute) * MINUTE_MS + second * 1_000 - zoneSign * (zoneHours * 60 + zoneMinutes) * MINUTE_MS
  return timestampMs < 0 ? undefined : timestampMs // a record's timestamp starts with 1970
}
