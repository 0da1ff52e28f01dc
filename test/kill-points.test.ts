import { afterEach, describe, expect, test } from 'vitest'
import { KILL_POINTS, killPoint, killPoints } from '../src/kill-points.ts'
import { readSources, walk } from './architecture/source-file.ts'

afterEach(() => {
  killPoints.hook = undefined
})

describe('kill points', () => {
  test('do nothing without a hook', () => {
    expect(() => killPoint('lane.writer.claimed')).not.toThrow()
  })

  test('tell the hook which point was reached, in order', () => {
    const reached: string[] = []
    killPoints.hook = (point) => reached.push(point)
    killPoint('lane.writer.claimed')
    killPoint('lane.writer.copied')
    expect(reached).toEqual(['lane.writer.claimed', 'lane.writer.copied'])
  })

  test('have names of their own', () => {
    expect(new Set(KILL_POINTS).size).toBe(KILL_POINTS.length)
  })

  test('each stands in the source, at one place or more', () => {
    const used = new Set<string>()
    for (const file of readSources('src')) {
      walk(file.program, (node) => {
        if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'killPoint') return undefined
        const [point] = node.arguments
        if (point?.type === 'Literal') used.add(String(point.value))
        return undefined
      })
    }
    expect(KILL_POINTS.filter((point) => !used.has(point))).toEqual([])
  })
})
