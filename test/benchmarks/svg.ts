// What every chart must be, for the tests of charts.

import { expect } from 'vitest'

/** Whether tags nest and close; enough of XML for what the charts write. */
export function assertWellFormed(svg: string): void {
  const open: string[] = []
  for (const [, close, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/gi)) {
    if (close === '/') expect(open.pop()).toBe(name)
    else if (selfClosing !== '/') open.push(name!)
  }
  expect(open).toEqual([])
  expect(svg.replaceAll(/&(amp|lt|gt|quot);/g, '')).not.toContain('&')
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
}
