// The text of a Java properties file: lines of key and value. Pure; any thread.
//
//   #comment           or !comment; blank lines are left out
//   key=value          or key:value, or key value; blanks around the sign are no part of either
//   a\ key=one \       a line that ends in a backslash goes on in the next, without its leading blanks
//       line
//   \t \n \r \f \uXXXX, and a backslash before any other character, which stands for itself

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }
const ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' }

/** Keys and values; the last of two that have one key wins. Any text can be read: a \u without four hexadecimal digits stands for a u. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const keyEnd = endOfKey(line)
    const key = decodeEscapes(line.slice(0, keyEnd))
    const value = decodeEscapes(line.slice(keyEnd).replace(/^[ \t\f]*[=:]?[ \t\f]*/, ''))
    properties.set(key, value)
  }
  return properties
}

/** A line for each entry, as Java writes it, in order; `comment` becomes the first line. */
export function formatProperties(entries: Iterable<readonly [key: string, value: string]>, comment = ''): string {
  let text = `#${comment.replace(/[\r\n]/g, ' ')}\n`
  for (const [key, value] of entries) {
    const written = encodeEscapes(value).replace(/^ /, '\\ ')
    text += `${encodeEscapes(key).replaceAll(' ', '\\ ')}=${written}\n`
  }
  return text
}

/** Lines without comments and blank ones, and with those put together that go on in the next. */
function logicalLines(text: string): string[] {
  const lines: string[] = []
  let open: string | undefined
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (open === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const backslashes = /\\*$/.exec(line)![0].length
    const whole = (open ?? '') + (backslashes % 2 === 1 ? line.slice(0, -1) : line)
    open = backslashes % 2 === 1 ? whole : undefined
    if (open === undefined && whole !== '') lines.push(whole)
  }
  // The text ended in a backslash.
  if (open !== undefined && open !== '') lines.push(open)
  return lines
}

function endOfKey(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (/[=: \t\f]/.test(line[at]!)) return at
  }
  return line.length
}

function decodeEscapes(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, code: string | undefined, char: string) =>
    code === undefined ? (ESCAPED[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

function encodeEscapes(text: string): string {
  return text.replace(/[\s\S]/g, (char) => {
    if ('\\=:#!'.includes(char)) return `\\${char}`
    const escaped = ESCAPES[char]
    if (escaped !== undefined) return escaped
    if (char >= ' ' && char <= '~') return char
    return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}
