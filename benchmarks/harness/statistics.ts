// The arithmetic of repeated measurements. Pure; runs on the main thread after the
// clock has stopped. Nothing here smooths or drops a sample: every repetition counts.

export interface Summary {
  readonly min: number
  readonly median: number
  readonly max: number
  /** In the order in which they were measured. */
  readonly samples: readonly number[]
}

/** The value below which a fraction `q` of the samples lies, between neighbours in proportion. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError('a quantile needs at least one sample')
  if (!(q >= 0 && q <= 1)) throw new RangeError(`a quantile is between 0 and 1, not ${q}`)
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const below = Math.floor(at)
  const above = Math.min(sorted.length - 1, below + 1)
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (at - below)
}

export function summarise(samples: readonly number[]): Summary {
  if (samples.some((sample) => !Number.isFinite(sample))) throw new RangeError(`a sample is not a number: ${samples.join(', ')}`)
  return { min: quantile(samples, 0), median: quantile(samples, 0.5), max: quantile(samples, 1), samples: [...samples] }
}

/**
 * The ratio of two cases that took turns: one ratio a repetition, then their summary, so that
 * what slowed one repetition down as a whole (a neighbour, a hotter clock) falls out.
 */
export function pairedRatio(numerator: readonly number[], denominator: readonly number[]): Summary | undefined {
  const pairs = Math.min(numerator.length, denominator.length)
  if (pairs === 0) return undefined
  const ratios: number[] = []
  for (let i = 0; i < pairs; i++) {
    if (denominator[i] === 0) return undefined
    ratios.push(numerator[i]! / denominator[i]!)
  }
  return summarise(ratios)
}

/** How far the samples lie apart, as a part of their median: 0 when all are equal. */
export function spread(summary: Summary): number {
  return summary.median === 0 ? 0 : (summary.max - summary.min) / summary.median
}

/** The slope of the straight line that lies nearest to the points (least squares); 0 for a single point. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  if (points.length === 0) throw new RangeError('a slope needs at least one point')
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  let above = 0
  let below = 0
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY)
    below += (x - meanX) ** 2
  }
  return below === 0 ? 0 : above / below
}
