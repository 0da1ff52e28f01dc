// A table in Markdown: no cell may break it.

export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cellText).join(' | ')} |`).join('\n')
}

function cellText(cell: string): string {
  return cell.replaceAll('\n', ' ').replaceAll('|', String.raw`\|`)
}
