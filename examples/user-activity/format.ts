// Numbers, times and foreign text, as people read them.

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const BARS = '▁▂▃▄▅▆▇█'

export function formatNumber(value: number): string {
  return NUMBER.format(value)
}

/** `1 line`, `1,234 lines`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${count === 1 ? noun : `${noun}s`}`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  if (bytes < 1e6) return `${formatNumber(bytes / 1e3)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${ms.toFixed(0)} ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`
}

/** `2015-05-17 10:05` in UTC. */
export function formatMinute(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d\d\.\d{3}Z$/, '')
}

/** A rate a second; nothing in no time is no rate. */
export function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1_000) / ms : 0
}

/** Text from a log, safe to show: control characters could move the cursor, or worse. */
export function printable(text: string, lengthMax: number): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD')
  return safe.length > lengthMax ? safe.slice(0, lengthMax - 1) + '…' : safe
}

/** A small bar chart of one line. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1)
  return values.map((value) => (value === 0 ? ' ' : BARS[Math.ceil((value / most) * BARS.length) - 1])).join('')
}
