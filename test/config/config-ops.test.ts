import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BROKER_CONFIG } from '../../src/config/broker-config-table.ts'
import { applyConfigOps } from '../../src/config/config-ops.ts'
import type { ConfigOp } from '../../src/config/config-ops.ts'
import { TOPIC_CONFIG } from '../../src/config/topic-config-table.ts'
import type { ConfigTable } from '../../src/config-def.ts'
import { MillraceError } from '../../src/errors.ts'

const op = (type: ConfigOp['op'], name: string, value: string | null = null): ConfigOp => ({ op: type, name, value })

interface Lists {
  readonly colours: readonly string[]
  readonly shapes: readonly string[]
  readonly size: number
  readonly fixed: number
}

const LISTS: ConfigTable<Lists> = {
  what: 'test config',
  settings: {
    colours: { type: 'list', default: ['red'], takesEffect: 'immediately', doc: 'Any.' },
    shapes: { type: 'list', values: ['round', 'square'], default: [], takesEffect: 'immediately', doc: 'Known ones.' },
    size: { type: 'int', min: 0, default: 1, takesEffect: 'immediately', doc: 'A number.' },
    fixed: { type: 'int', default: 1, takesEffect: 'at open', doc: 'Given once.' },
  },
}

describe('an operation', () => {
  test('SET gives a value, in the table’s own text', () => {
    expect(applyConfigOps(TOPIC_CONFIG, {}, [op('SET', 'retention.ms', '5000')])).toEqual({ 'retention.ms': '5000' })
    expect(applyConfigOps(TOPIC_CONFIG, { 'retention.ms': '1' }, [op('SET', 'retention.ms', '05')])).toEqual({ 'retention.ms': '5' })
    expect(applyConfigOps(LISTS, {}, [op('SET', 'colours', ' blue , green')])).toEqual({ colours: 'blue,green' })
  })

  test('DELETE takes it back, also when it was not set', () => {
    const current = { 'retention.ms': '1', 'segment.ms': '2' }
    expect(applyConfigOps(TOPIC_CONFIG, current, [op('DELETE', 'retention.ms')])).toEqual({ 'segment.ms': '2' })
    expect(applyConfigOps(TOPIC_CONFIG, current, [op('DELETE', 'max.message.bytes')])).toEqual(current)
    expect(current).toEqual({ 'retention.ms': '1', 'segment.ms': '2' })
  })

  test('APPEND adds what is not there, to the default where nothing is set', () => {
    expect(applyConfigOps(LISTS, { colours: 'blue' }, [op('APPEND', 'colours', 'green,blue')])).toEqual({ colours: 'blue,green' })
    expect(applyConfigOps(LISTS, {}, [op('APPEND', 'colours', 'green')])).toEqual({ colours: 'red,green' })
    expect(applyConfigOps(LISTS, {}, [op('APPEND', 'shapes', 'round')])).toEqual({ shapes: 'round' })
  })

  test('SUBTRACT takes away what is there', () => {
    expect(applyConfigOps(LISTS, { colours: 'blue,green' }, [op('SUBTRACT', 'colours', 'blue,grey')])).toEqual({ colours: 'green' })
    expect(applyConfigOps(LISTS, {}, [op('SUBTRACT', 'colours', 'red')])).toEqual({ colours: '' })
  })

  test('several at once', () => {
    const ops = [op('SET', 'size', '3'), op('DELETE', 'shapes'), op('APPEND', 'colours', 'blue')]
    expect(applyConfigOps(LISTS, { shapes: 'round' }, ops)).toEqual({ size: '3', colours: 'red,blue' })
  })
})

test.each<[string, ConfigOp[], string, string]>([
  ['an unknown name', [op('SET', 'retenton.ms', '1')], 'INVALID_CONFIG', 'did you mean retention.ms'],
  ['an unknown name to take back', [op('DELETE', 'retenton.ms')], 'INVALID_CONFIG', 'did you mean retention.ms'],
  ['an unknown name to append to', [op('APPEND', 'cleanup.polcy', 'x')], 'INVALID_CONFIG', 'did you mean cleanup.policy'],
  ['a value that is none', [op('SET', 'retention.ms', 'soon')], 'INVALID_CONFIG', '"soon" was given'],
  ['a value out of range', [op('SET', 'retention.ms', '-2')], 'INVALID_CONFIG', 'from -1 to'],
  ['a value that is not there yet', [op('SET', 'remote.storage.enable', 'true')], 'INVALID_CONFIG', 'no tiered storage'],
  ['an item that is none', [op('APPEND', 'cleanup.policy', 'shrink')], 'INVALID_CONFIG', 'shrink'],
  [
    'APPEND to a number',
    [op('APPEND', 'retention.ms', '5')],
    'INVALID_CONFIG',
    'APPEND changes lists, and topic config retention.ms is none',
  ],
  ['SUBTRACT from a number', [op('SUBTRACT', 'retention.ms', '5')], 'INVALID_CONFIG', 'SUBTRACT changes lists'],
  ['one name twice', [op('SET', 'retention.ms', '5'), op('DELETE', 'retention.ms')], 'INVALID_REQUEST', 'altered twice'],
  ['no value', [op('SET', 'retention.ms')], 'INVALID_REQUEST', 'SET of topic config retention.ms needs a value'],
  ['what is given once', [op('SET', 'millrace.durability', 'memory')], 'INVALID_CONFIG', 'cannot be altered'],
  ['taking back what is given once', [op('DELETE', 'millrace.durability')], 'INVALID_CONFIG', 'cannot be altered'],
])('%s is refused', (_, ops, code, words) => {
  const current = { 'retention.bytes': '5' }
  try {
    applyConfigOps(TOPIC_CONFIG, current, ops)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) })
    expect(current).toEqual({ 'retention.bytes': '5' })
    return
  }
  throw new Error('nothing was refused')
})

test('brokers too: what Kafka lets one alter, and no more', () => {
  expect(applyConfigOps(BROKER_CONFIG, {}, [op('SET', 'message.max.bytes', '1000')])).toEqual({ 'message.max.bytes': '1000' })
  expect(() => applyConfigOps(BROKER_CONFIG, {}, [op('SET', 'num.partitions', '2')])).toThrow(
    'broker config num.partitions cannot be altered',
  )
})

test('appending and then subtracting leaves nothing of it', () => {
  const items = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 5 })
  fc.assert(
    fc.property(items, items, (before, added) => {
      const start = { colours: before.join(',') }
      const appended = applyConfigOps(LISTS, start, [op('APPEND', 'colours', added.join(','))])
      const both = appended['colours']!.split(',').filter((item) => item !== '')
      expect(new Set(both)).toEqual(new Set([...before, ...added]))
      const subtracted = applyConfigOps(LISTS, appended, [op('SUBTRACT', 'colours', added.join(','))])
      expect(subtracted['colours']).toBe(before.filter((item) => !added.includes(item)).join(','))
    }),
  )
})
