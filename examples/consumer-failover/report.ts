// What is printed: sections, tables and claims; on a terminal, below them, a line that shows how
// things stand.

import { isLiveTerminal, TERMINAL_REFRESH_MS } from '../user-activity/table.ts'

const CLEAR_LINE = '\r\u001b[2K'

export class Report {
  /** All that was claimed holds. */
  holds = true
  readonly #isLive = isLiveTerminal(process.stdout)
  #timer: NodeJS.Timeout | undefined

  /** Shows a line five times a second, on a terminal only. */
  watch(state: () => string): void {
    if (this.#isLive)
      this.#timer = setInterval(() => process.stdout.write(CLEAR_LINE + state().slice(0, process.stdout.columns - 1)), TERMINAL_REFRESH_MS)
  }

  line(text: string): void {
    process.stdout.write(`${this.#isLive ? CLEAR_LINE : ''}${text}\n`)
  }

  section(title: string): void {
    this.line(`\n${title}\n`)
  }

  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = header.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)))
    for (const row of [header, ...rows])
      this.line(
        row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('   ')
          .trimEnd(),
      )
    this.line('')
  }

  claim(holds: boolean, text: string): void {
    this.line(holds ? `  ${text}` : `  FAILED: ${text}`)
    if (!holds) this.holds = false
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#isLive) process.stdout.write(CLEAR_LINE)
  }
}
