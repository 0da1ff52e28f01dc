// Figures as people read them: three digits, a unit, no more.

import type { TargetSpec } from './bench-case.ts'

const STEPS: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toString()
  if (size >= 10) return value.toFixed(1)
  if (size >= 1) return value.toFixed(2)
  if (size >= 0.1) return value.toFixed(3)
  return Number(value.toPrecision(2)).toString()
}

/** 18_200_000 → `18.2 M`. */
export function scaled(value: number): string {
  for (const [size, letter] of STEPS) if (Math.abs(value) >= size) return `${digits(value / size)} ${letter}`
  return digits(value)
}

export function count(value: number): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Sizes of values and memory are powers of two: `1 KiB`, `23.5 GiB`. */
export function byteSize(bytes: number): string {
  for (const [power, unit] of [
    [30, 'GiB'],
    [20, 'MiB'],
    [10, 'KiB'],
  ] as const) {
    const size = bytes / 2 ** power
    if (size >= 1) return `${Number.isInteger(size) ? size : digits(size)} ${unit}`
  }
  return `${bytes} B`
}

export function figure(value: number, unit: string): string {
  if (unit === 'records/s' || unit === 'windows/s') return `${scaled(value)}/s`
  if (unit === 'B/s') return `${scaled(value)}B/s`
  if (unit === 'bytes') return `${digits(value)} B`
  if (unit === 'size') return byteSize(value)
  if (unit === '%') return `${digits(value)} %`
  return unit === '' ? digits(value) : `${digits(value)} ${unit}`
}

/** A bound as it was asked for: 0.7, not 0.700. */
export function targetBound(value: number, unit: TargetSpec['unit']): string {
  return unit === 'size' ? byteSize(value) : targetFigure(value, unit).replace(/^([\d.]+)/, String(value))
}

export function targetFigure(value: number, unit: TargetSpec['unit']): string {
  switch (unit) {
    case 'ratio':
      return `${digits(value)}×`
    case 'bytes':
      return `${digits(value)} B`
    case 'size':
      return byteSize(value)
    case 'percent':
      return `${digits(value)} %`
    case 'per second':
      return `${digits(value)}/s`
    case 'count':
      return digits(value)
    default:
      return `${digits(value)} ${unit}`
  }
}
