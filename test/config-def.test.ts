import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LONG_MAX, checkOptions, describeRange, fillOptions, nearestName, settingsOf } from '../src/config-def.ts'
import type { ConfigTable, OptionsOf } from '../src/config-def.ts'
import { MillraceError } from '../src/errors.ts'

interface Oven {
  readonly heatMs: number
  readonly bytesMax: number
  readonly share: number
  readonly isOn: boolean
  readonly label: string
  readonly trays: readonly ('top' | 'middle' | 'bottom')[]
  readonly mode: 'fan' | 'grill' | 3
  readonly probe: (() => number) | undefined
  readonly gas: 'none' | 'propane'
  readonly blockBytes: number
}

const OVEN: ConfigTable<Oven> = {
  what: 'oven option',
  settings: {
    heatMs: { type: 'int', min: 0, max: 1_000, default: 5, unit: 'ms', takesEffect: 'immediately', doc: '' },
    bytesMax: { type: 'long', min: -1, default: LONG_MAX, unit: 'bytes', takesEffect: 'at open', doc: '' },
    share: { type: 'double', min: 0, max: 1, default: 0.5, takesEffect: 'immediately', doc: '' },
    isOn: { type: 'boolean', default: false, takesEffect: 'immediately', doc: '' },
    label: { type: 'string', default: 'oven', takesEffect: 'immediately', doc: '' },
    trays: { type: 'list', values: ['top', 'middle', 'bottom'], default: ['middle'], takesEffect: 'at next segment', doc: '' },
    mode: { type: 'one of', values: ['fan', 'grill', 3], spellings: { air: 'fan' }, default: 'fan', takesEffect: 'immediately', doc: '' },
    probe: {
      type: 'custom',
      expects: 'a function',
      accepts: (value) => typeof value === 'function',
      default: undefined,
      takesEffect: 'at open',
      doc: '',
    },
    gas: { type: 'one of', values: ['none', 'propane'], default: 'none', support: 'refused: no pipe', takesEffect: 'at open', doc: '' },
    blockBytes: { type: 'int', min: 0, multipleOf: 8, default: 8, code: 'INVALID_PARTITIONS', takesEffect: 'at open', doc: '' },
  },
  renamed: { warmth: 'heatMs' },
  answer: (name) => (name === 'doorColour' ? 'it has no door' : undefined),
  relations: ({ heatMs, isOn }) => (isOn && heatMs === 0 ? 'oven option heatMs must be above 0 when isOn' : undefined),
}

function fill(options: unknown): Readonly<Oven> {
  return fillOptions(OVEN, options as OptionsOf<Oven>)
}

function refusal(options: unknown): MillraceError {
  try {
    fill(options)
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was refused')
}

describe('filling', () => {
  test('gives every setting its default, and is frozen', () => {
    const filled = fill(undefined)
    expect(filled).toEqual({
      ...{ heatMs: 5, bytesMax: LONG_MAX, share: 0.5, isOn: false, label: 'oven' },
      ...{ trays: ['middle'], mode: 'fan', probe: undefined, gas: 'none', blockBytes: 8 },
    })
    expect(Object.isFrozen(filled)).toBe(true)
    expect(fill({})).toEqual(filled)
    expect(fill({ heatMs: undefined })).toEqual(filled)
  })

  test('takes what was given', () => {
    const probe = (): number => 1
    const given = { heatMs: 0, bytesMax: -1, share: 1, isOn: false, label: '', trays: ['top'], mode: 3, probe, gas: 'none', blockBytes: 16 }
    expect(fill(given)).toEqual(given)
  })

  test('checking alone gives back only what was given', () => {
    expect(checkOptions(OVEN, { heatMs: 7, isOn: undefined })).toEqual({ heatMs: 7 })
  })

  test('a list may be text with commas, and is kept as a frozen copy', () => {
    expect(fill({ trays: 'top, bottom' }).trays).toEqual(['top', 'bottom'])
    expect(fill({ trays: ' ' }).trays).toEqual([])
    const trays = ['top']
    const filled = fill({ trays })
    trays.push('middle')
    expect(filled.trays).toEqual(['top'])
    expect(Object.isFrozen(filled.trays)).toBe(true)
  })

  test("Kafka's largest long, as JavaScript reads it, is the largest here", () => {
    expect(fill({ bytesMax: 2 ** 63 }).bytesMax).toBe(LONG_MAX)
    expect(refusal({ bytesMax: 2 ** 53 }).message).toContain('from -1 to 9007199254740991')
  })

  test('relations between settings are checked on the filled options', () => {
    expect(refusal({ isOn: true, heatMs: 0 }).message).toBe('oven option heatMs must be above 0 when isOn')
    expect(fill({ isOn: true }).isOn).toBe(true)
  })
})

describe('a wrong value', () => {
  test.each<[string, unknown, string]>([
    ['heatMs', 1_001, 'oven option heatMs must be a whole number of ms (int) from 0 to 1000; 1001 was given'],
    ['heatMs', 1.5, 'from 0 to 1000; 1.5 was given'],
    ['heatMs', Number.NaN, '; NaN was given'],
    ['heatMs', '5', '"5" was given: did you mean 5, without quotes?'],
    ['heatMs', 5n, '5n was given: did you mean 5, without the n?'],
    ['heatMs', '5000', '"5000" was given'],
    ['heatMs', null, 'null was given'],
    ['bytesMax', Number.POSITIVE_INFINITY, 'Infinity was given'],
    ['bytesMax', -2, 'a whole number of bytes (long) from -1 to 9007199254740991; -2 was given'],
    ['share', 1.1, 'a number (double) from 0 to 1; 1.1 was given'],
    ['isOn', 'true', 'must be true or false; "true" was given: did you mean true, without quotes?'],
    ['isOn', 1, 'must be true or false; 1 was given'],
    ['label', 7, 'must be a string; 7 was given'],
    ['trays', ['top', 'botom'], 'a list of "top", "middle", "bottom"; ["top","botom"] was given: did you mean "bottom"?'],
    ['trays', 'midle', 'did you mean "middle"?'],
    ['trays', [1], 'an array was given'],
    ['trays', {}, 'an object was given'],
    ['mode', 'gril', 'one of "fan", "grill", 3; "gril" was given: did you mean "grill"?'],
    ['mode', 'air', 'did you mean "fan"?'],
    ['mode', '3', 'did you mean 3?'],
    ['mode', 4, '4 was given'],
    ['probe', {}, 'must be a function; an object was given'],
    ['gas', 'propane', 'oven option gas cannot be "propane": no pipe'],
    ['blockBytes', 12, 'a whole number (int) from 0 to 2147483647, a multiple of 8; 12 was given'],
  ])('%s: %s', (name, value, words) => {
    expect(refusal({ [name]: value }).message).toContain(words)
  })

  test("is an INVALID_CONFIG, or Kafka's own error for that setting", () => {
    expect(refusal({ heatMs: -1 })).toMatchObject({ code: 'INVALID_CONFIG', retriable: false })
    expect(refusal({ blockBytes: 1 }).code).toBe('INVALID_PARTITIONS')
  })

  test('is shown short', () => {
    expect(refusal({ heatMs: 'x'.repeat(10_000) }).message.length).toBeLessThan(200)
  })
})

describe('a wrong name', () => {
  test.each<[string, string]>([
    ['heatMS', 'there is no oven option "heatMS": it is written heatMs here'],
    ['heat.ms', 'it is written heatMs here'],
    ['HEAT_MS', 'it is written heatMs here'],
    ['warmth', 'it is called heatMs here'],
    ['doorColour', 'it has no door'],
    ['heatM', 'did you mean heatMs, a whole number of ms (int) from 0 to 1000?'],
    ['hetaMs', 'did you mean heatMs'],
    ['bytes', 'did you mean bytesMax'],
    ['ison', 'it is written isOn here'],
    ['zzz', 'the names are heatMs, bytesMax, share'],
    ['constructor', 'the names are heatMs'],
    ['__proto__', 'the names are heatMs'],
    ['', 'the names are heatMs'],
  ])('%s', (name, words) => {
    const error = refusal(Object.fromEntries([[name, 1]]))
    expect(error.message).toContain(words)
    expect(error.code).toBe('INVALID_CONFIG')
  })

  test('is no matter when its value is undefined', () => {
    expect(fill({ nonsense: undefined })).toEqual(fill({}))
  })
})

test('options that are no object of names are refused', () => {
  for (const options of [null, 5, 'heatMs', [1], new Map([['heatMs', 1]]), new Uint8Array(2), () => 1]) {
    expect(refusal(options).message).toContain('oven options are given as an object of names and values')
  }
})

test('every number within a range is taken, and none outside', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double()), (value) => {
      const isIn = Number.isInteger(value) && value >= 0 && value <= 1_000
      if (isIn) expect(fill({ heatMs: value }).heatMs).toBe(value)
      else expect(refusal({ heatMs: value }).code).toBe('INVALID_CONFIG')
    }),
    { seed: 20_261_123 },
  )
})

test('whatever is given, the answer is filled options or an INVALID_CONFIG', () => {
  const names = settingsOf(OVEN).map(([name]) => name)
  const options = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.anything())
  fc.assert(
    fc.property(options, (given) => {
      try {
        expect(Object.keys(fill(given))).toEqual(names)
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        expect(['INVALID_CONFIG', 'INVALID_PARTITIONS']).toContain(error.code)
      }
    }),
    { seed: 20_261_124, numRuns: 500 },
  )
})

describe('the nearest name', () => {
  const names = ['lingerMs', 'batchSize', 'maxBlockMs', 'acks']

  test.each<[string, string | undefined]>([
    ['lingerms', 'lingerMs'],
    ['linger', 'lingerMs'],
    ['lignerMs', 'lingerMs'],
    ['batch', 'batchSize'],
    ['batchSizeBytes', 'batchSize'],
    ['ack', 'acks'],
    ['akcs', 'acks'],
    ['blockMs', 'maxBlockMs'],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(1_000), undefined],
  ])('%s is %s', (given, nearest) => {
    expect(nearestName(given, names)).toBe(nearest)
  })

  test('is the name itself, and one edit away it is found', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(20), (name, at) => {
        expect(nearestName(name, names)).toBe(name)
        const cut = at % name.length
        expect(nearestName(name.slice(0, cut) + name.slice(cut + 1), names)).toBe(name)
      }),
      { seed: 20_261_125 },
    )
  })
})

test('a range is said in words', () => {
  const words = settingsOf(OVEN).map(([, setting]) => describeRange(setting))
  expect(words[0]).toBe('a whole number of ms (int) from 0 to 1000')
  expect(words[2]).toBe('a number (double) from 0 to 1')
  expect(words[6]).toBe('one of "fan", "grill", 3')
})
